"""What is measured: the dataset, the detector, corruptions and the operating point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, create_model

from pytest_robustbench.config.models.values import (
    ENV,
    MAPPING,
    TEXT,
    Number,
    Pattern,
    Section,
    Seed,
    Share,
    Side,
    Text,
    Truth,
    finite,
    shape,
)
from pytest_robustbench.datasets import catalogue
from pytest_robustbench.evaluation.settings import (
    LARGEST_SIGMA,
    CalibrationMethod,
    CalibrationSettings,
    EvaluationSettings,
)
from pytest_robustbench.unions import tag


class DatasetPlace(Section):
    """Where the images are."""

    format: str | None = None
    resize: tuple[Side, Side] | None = None


_TYPES = {
    catalogue.TEXT: Text,
    catalogue.PATH: Text,
    catalogue.TRUTH: Truth,
    catalogue.PATTERN: Pattern,
    catalogue.SHARE: Share,
}


def _declared(kind: catalogue.Kind) -> Any:
    """Return what the YAML takes for an option of a dataset."""
    if kind.choices:
        return Annotated[Literal[kind.choices], ENV]
    return (
        _TYPES[kind]
        if kind.least is None
        else Annotated[int, Field(ge=kind.least, le=kind.most), ENV]
    )


if TYPE_CHECKING:
    Dataset = DatasetPlace
else:
    Dataset = create_model(
        "Dataset",
        __base__=DatasetPlace,
        __doc__="Where the images are; which options there are depends on the format.",
        **{name: (_declared(one.kind) | None, None) for name, one in catalogue.OPTIONS.items()},
    )


class Detector(Section):
    """Which detector, and how it is made."""

    name: Text
    preset: Text | None = None
    device: Text | None = None
    kwargs: Annotated[dict[str, Any], AfterValidator(finite)] = Field(default_factory=dict)
    fitted: Truth = False
    input_mode: Literal["numpy", "paths"] = "numpy"


class Postprocess(Section):
    """What is done to every anomaly map, in calibration and evaluation alike."""

    gaussian_sigma: Annotated[float, Field(ge=0, le=LARGEST_SIGMA), ENV] = (
        EvaluationSettings.gaussian_sigma
    )


DetectorEntry: TypeAlias = Annotated[
    Annotated[Text, tag(TEXT)] | Annotated[Detector, tag(MAPPING)],
    Discriminator(shape),
]


CorruptionEntry: TypeAlias = Annotated[
    Annotated[str, tag(TEXT)] | Annotated[dict[str, Any], AfterValidator(finite), tag(MAPPING)],
    Discriminator(shape),
]
"""A name or import path, or a mapping that gives one parameters or composes several."""


class Calibration(Section):
    """How the operating point is found."""

    pixel_normal_quantile: Share = CalibrationSettings.pixel_normal_quantile
    image_normal_quantile: Share = CalibrationSettings.image_normal_quantile
    method: CalibrationMethod = CalibrationSettings.method
    fraction: Share = CalibrationSettings.fraction
    folds: Annotated[int, Field(ge=2), ENV] = CalibrationSettings.folds
    seed: Seed = CalibrationSettings.seed
    images: Text | None = None


class LineDrift(Section):
    """What ``pytest-robustbench drift`` found of the line itself."""

    file: Text


class Thresholds(Section):
    """An operating point that is known already: numbers, or a file that holds them."""

    pixel_threshold: Number | None = None
    image_threshold: Number | None = None
    file: Text | None = None
