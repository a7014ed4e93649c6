"""One small model as TorchScript, exported program, ONNX and OpenVINO files, for the tests."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import torch

SIZE = (24, 32)


class Contrast(torch.nn.Module):
    """A map of local contrast of an RGB image, and its maximum as the score."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.filters = torch.nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        contrast = self.filters(image).abs().mean(1, keepdim=True)
        return contrast.amax((1, 2, 3)), contrast


class Several(Contrast):
    """The same, with a second score and an output of no use."""

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        score, contrast = super().forward(image)
        return score, score * 2, contrast, self.filters(image)


def example(size: tuple[int, int] = SIZE) -> torch.Tensor:
    return torch.zeros(1, 3, *size)


def torchscript(model: torch.nn.Module, path: Path, size: tuple[int, int] = SIZE) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(model.eval(), example(size)).save(str(path))
    return path


def program(model: torch.nn.Module, path: Path, size: tuple[int, int] = SIZE) -> Path:
    torch.export.save(torch.export.export(model.eval(), (example(size),)), path)
    return path


def onnx(
    model: torch.nn.Module,
    path: Path,
    size: tuple[int, int] = SIZE,
    outputs: tuple[str, ...] = ("score", "map"),
    free: dict[int, str] | None = None,
) -> Path:
    """An ONNX file; `free` are the axes of its input that may have any length."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(),
            (example(size),),
            str(path),
            input_names=["image"],
            output_names=list(outputs),
            dynamic_axes={"image": free} if free else None,
            dynamo=False,
        )
    return path


def openvino(source: Path, path: Path) -> Path:
    """An OpenVINO file of an ONNX file, with all digits of its weights."""
    import openvino as package

    package.save_model(package.Core().read_model(str(source)), str(path), compress_to_fp16=False)
    return path
