"""Training of anomalib models through their own Engine, on images in memory."""

from __future__ import annotations

import logging
import random
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pytest_robustbench import opencv
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from pytest_robustbench.arrays import Image

NOISY = (
    "anomalib",
    "lightning",
    "lightning.fabric",
    "lightning.pytorch",
    "lightning_fabric",
    "lightning_fabric.utilities.rank_zero",
    "pytorch_lightning",
)
UNTRAINED = ("zero_shot", "few_shot")


@dataclass(frozen=True)
class TrainingSettings:
    """How a model is trained.

    Parameters
    ----------
    batch_size : int
        Images per step; anomalib's own default.
    seed : int
        Seed of the model's first weights, of the images' order and of whatever it draws.
    trainer : mapping
        Arguments of Lightning's Trainer, such as ``max_epochs``; the model's own demands win.
    """

    batch_size: int = 32
    seed: int = 0
    trainer: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.batch_size, int) or self.batch_size < 1:
            raise DetectorError(
                f"batch_size must be a whole number, 1 or more, not {self.batch_size!r}"
            )


class TrainImages(torch.utils.data.Dataset[Any]):
    """Normal images as anomalib's datasets give them: RGB, 0 to 1.

    All have the size of the first: the collation stacks them, and the model's pre-processor
    resizes the batch.
    """

    name = "train"
    category = ""

    def __init__(self, images: Sequence[Image]) -> None:
        self._images = images
        self._size = np.shape(images[0])[:2]
        self._item = import_module("anomalib.data").ImageItem

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Any:
        image = np.asarray(self._images[index])
        if image.shape[:2] != self._size:
            cv2 = opencv.load()
            image = cv2.resize(image, self._size[::-1], interpolation=cv2.INTER_AREA)
        return self._item(image=as_tensor(image), gt_label=torch.tensor(0))


def as_tensor(image: Image) -> Tensor:
    """Return an image as float32 tensor (3, H, W), 0 to 1."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def train(model: Any, images: Sequence[Image], settings: TrainingSettings, device: Any) -> None:
    """Train `model` on normal images, quietly, and leave no file behind.

    There is no validation set: thresholds and normalisation are the benchmark's business.

    Raises
    ------
    DetectorError
        If the model is not one that learns from normal images.
    """
    kind = str(getattr(model.learning_type, "value", model.learning_type))
    if kind in UNTRAINED:
        raise DetectorError(
            f"{type(model).__name__} is a {kind} model: nothing to fit; declare fitted: true"
        )
    engine_class = import_module("anomalib.engine").Engine
    loader: Any = torch.utils.data.DataLoader(
        TrainImages(images),
        batch_size=settings.batch_size,
        shuffle=True,
        collate_fn=import_module("anomalib.data").ImageBatch.collate,
    )
    with TemporaryDirectory(prefix="pytest-robustbench-") as folder:
        arguments = _trainer_arguments(device) | dict(settings.trainer)
        engine_class(default_root_dir=folder, **arguments).fit(model, train_dataloaders=loader)


def _trainer_arguments(device: Any) -> dict[str, Any]:
    checkpoint = import_module("anomalib.callbacks").ModelCheckpoint
    return {
        "accelerator": "gpu" if device.type == "cuda" else device.type,
        "devices": 1,
        "logger": False,
        "callbacks": [checkpoint(save_top_k=0)],  # without one, the Engine brings one that saves
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }


@contextmanager
def quiet_and_seeded(seed: int) -> Iterator[None]:
    """Draw the same numbers each time, without a word, and leave generators as they were."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - anomalib's generator
    levels = {name: logging.getLogger(name).level for name in NOISY}
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        for name in NOISY:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
