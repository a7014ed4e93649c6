"""Where torch detectors run."""

from __future__ import annotations

import torch

from pytest_robustbench.errors import DetectorError


def choose_device(wanted: str) -> torch.device:
    """Return the device that `wanted` names.

    Parameters
    ----------
    wanted : str
        ``"auto"`` (CUDA if there is one, else the CPU), ``"cpu"``, ``"cuda"``, ``"cuda:1"``,
        ``"mps"``.

    Raises
    ------
    DetectorError
        If there is no such device.
    """
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except (RuntimeError, TypeError) as error:
        raise DetectorError(
            f"unknown device {wanted!r}; valid: auto, cpu, cuda, cuda:<index>, mps"
        ) from error
    if not _is_available(device):
        raise DetectorError(
            f"device {wanted!r} is not available to torch {torch.__version__}; "
            "say device: auto to use what there is, or device: cpu"
        )
    return device


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished what was queued."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _is_available(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    return device.type == "cpu"
