"""What the built-in detectors have in common: settings, and one file for what they learned."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import numpy as np

from pytest_robustbench.detectors.families import PRESETS
from pytest_robustbench.detectors.introspection import import_path
from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.errors import DetectorError
from pytest_robustbench.lfs import POINTER, is_pointer_file
from pytest_robustbench.naming import suggestion
from pytest_robustbench.plain_json import parse_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from typing_extensions import Self

    from pytest_robustbench.arrays import Floats, Image
    from pytest_robustbench.detectors.families import Request

S = TypeVar("S")

FEWEST_TO_FIT = 2
"""One image shows no variation."""

HEADER = "header"


class BuiltIn(ABC, Generic[S]):
    """A detector that learns named arrays from normal images, and can be saved.

    Parameters
    ----------
    settings : dataclass, optional
        What may be chosen about it; by default what its `settings_type` says.
    device : str
        Where it computes.
    """

    name: ClassVar[str]
    settings_type: ClassVar[type[Any]]
    arrays: ClassVar[tuple[str, ...]]

    def __init__(self, settings: S | None = None, device: str = "auto") -> None:  # noqa: ARG002
        self.settings: S = settings or self.settings_type()
        self._memory: Mapping[str, Any] | None = None

    @classmethod
    def build(cls, request: Request) -> Self:
        """Return an unfitted detector: a preset, with single settings changed.

        Raises
        ------
        DetectorError
            If there is no such setting, backbone or device.
        """
        preset = PRESETS[request.preset] if request.preset else {}
        return cls(cls._chosen({**preset, **request.recipe, **request.settings}), request.device)

    @abstractmethod
    def _learned(self, images: Sequence[Image]) -> Mapping[str, Any]:
        """Return what is to be remembered of normal images: the arrays that `arrays` names."""

    @abstractmethod
    def _score_and_map(self, image: Image) -> tuple[float, Floats]:
        """Return score and map of one image."""

    @property
    @abstractmethod
    def _side(self) -> int:
        """Side of its maps, in pixels."""

    @property
    def _weights(self) -> str | None:
        """Which weights its network has; ``None`` without a network."""
        return None

    def fit(self, images: Sequence[Image]) -> None:
        """Learn from normal images, and forget what was learned before.

        Parameters
        ----------
        images : sequence of (H, W, 3) uint8 arrays
            RGB; at least two.

        Raises
        ------
        DetectorError
            If there are fewer than two images, or the detector cannot learn from them.
        """
        if len(images) < FEWEST_TO_FIT:
            raise DetectorError(
                f"detector {self.name!r} needs at least {FEWEST_TO_FIT} images to fit on, and was "
                f"given {len(images)}"
            )
        self._remember(self._learned(images))

    def predict(self, images: Sequence[Image]) -> Prediction:
        """Score and map images.

        Parameters
        ----------
        images : sequence of (H, W, 3) uint8 arrays
            RGB; sizes may differ.

        Returns
        -------
        Prediction
            Scores ``(N,)`` and square maps ``(N, side, side)``, float32.

        Raises
        ------
        DetectorError
            If it has not been fitted, or an image is no (H, W, 3) uint8 array.
        """
        self._require_fitted()
        scores = np.empty(len(images), np.float32)
        maps = np.empty((len(images), self._side, self._side), np.float32)
        for i, image in enumerate(images):
            scores[i], maps[i] = self._score_and_map(image)
        return Prediction(scores, maps)

    def description(self) -> dict[str, Any]:
        """Return class and settings, for the report."""
        return {"class": import_path(type(self)), "parameters": self._parameters}

    def save(self, path: str | PathLike[str]) -> None:
        """Write settings and arrays to one file; weights that lie in a file stay there.

        Parameters
        ----------
        path : path
            The file, written under exactly this name (NumPy's npz format).

        Raises
        ------
        DetectorError
            If it has not been fitted.
        """
        memory = self._require_fitted()
        header = {
            "detector": self.name,
            "settings": self._parameters,
            "weights": self._weights,
        }
        arrays = {name: self._to_numpy(memory[name]) for name in self.arrays}
        with Path(path).open("wb") as file:
            np.savez(file, **{HEADER: np.array(json.dumps(header))}, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: str | PathLike[str], device: str = "auto") -> Self:
        """Return the fitted detector that `save` wrote; its predictions are the same.

        Raises
        ------
        DetectorError
            If the file is none that `save` wrote, there is no such device, or the backbone cannot
            be loaded or has other weights than it had.
        """
        header, arrays = cls._read(path)
        detector = cls(cls._chosen(header["settings"]), device)
        detector._take_over(path, header["weights"], arrays)
        return detector

    def restore(self, path: str | PathLike[str]) -> None:
        """Become the fitted detector that `save` wrote, which had the same settings.

        Raises
        ------
        DetectorError
            If the file is none that `save` wrote, or by a detector with other settings or weights.
        """
        header, arrays = self._read(path)
        own, saved = json.loads(json.dumps(self._parameters)), header["settings"]
        different = [key for key in own | saved if own.get(key) != saved.get(key)]
        if different:
            raise DetectorError(f"{path}: was fitted with other settings ({', '.join(different)})")
        self._take_over(path, header["weights"], arrays)

    @classmethod
    def _chosen(cls, changes: Mapping[str, Any]) -> S:
        valid = [each.name for each in fields(cls.settings_type)]
        for key in changes:
            if key not in valid:
                raise DetectorError(
                    f"{cls.name} has no setting {key!r}; {suggestion(str(key), valid)}"
                )
        settings: S = cls.settings_type(**changes)
        return settings

    @property
    def _parameters(self) -> dict[str, Any]:
        return asdict(self.settings)  # type: ignore[call-overload, no-any-return]

    def _remember(self, arrays: Mapping[str, Any]) -> None:
        self._memory = arrays

    def _require_fitted(self) -> Mapping[str, Any]:
        if self._memory is None:
            raise DetectorError(f"detector {self.name!r} has not been fitted")
        return self._memory

    def _to_numpy(self, array: Any) -> Floats:
        return np.asarray(array)

    def _take_over(
        self, path: str | PathLike[str], weights: str | None, arrays: Mapping[str, Floats]
    ) -> None:
        if weights != self._weights:
            raise DetectorError(
                f"{path}: was fitted with a backbone whose weights are {weights!r}; those of "
                f"{self._parameters.get('backbone')!r} here are {self._weights!r}"
            )
        self._remember(arrays)

    @classmethod
    def _read(cls, path: str | PathLike[str]) -> tuple[dict[str, Any], dict[str, Floats]]:
        """Return header and arrays of a file; no pickle is ever loaded."""
        if is_pointer_file(Path(path)):
            raise DetectorError(f"{path} {POINTER}")
        try:
            with np.load(Path(path), allow_pickle=False) as file:
                header = parse_object(str(file[HEADER]).encode())
                found = str(header["detector"])
                plain = {"settings": dict(header["settings"]), "weights": header["weights"]}
                arrays = {name: file[name] for name in cls.arrays if found == cls.name}
        except Exception as error:  # whatever zipfile, its decoders and NumPy make of damage
            raise DetectorError(
                f"{path}: not a saved detector ({type(error).__name__}: {error})"
            ) from error
        if found != cls.name:
            raise DetectorError(f"{path}: holds a {found!r} detector, not {cls.name!r}")
        return plain, arrays
