"""What a model file returns: which of its outputs are the score and the anomaly map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats


def _is_score(values: NDArray[Any]) -> bool:
    return values.size == 1 and values.dtype != np.bool_


def _is_map(values: NDArray[Any]) -> bool:
    planes = values.ndim == 3 or (values.ndim == 4 and values.shape[1] == 1)
    return planes and values.shape[0] == 1 and values.size > 1 and values.dtype != np.bool_


PARTS = {"score": _is_score, "map": _is_map}
"""Part of a prediction -> whether an output could be it."""


@dataclass(frozen=True)
class OutputChoice:
    """Names of the outputs to use; ``None`` where the shapes have to tell.

    Parameters
    ----------
    score, map : str, optional
        Names of outputs.
    """

    score: str | None = None
    map: str | None = None

    def pick(self, outputs: Mapping[str, NDArray[Any]]) -> tuple[float, Floats | None]:
        """Return score and map of one image; without a score, the map's maximum.

        Parameters
        ----------
        outputs : mapping of str to ndarray
            What the model returned for a batch of one.

        Raises
        ------
        DetectorError
            If an output has another shape than it must have, or more than one could be meant; it
            lists them all.
        """
        scores = self._candidates(outputs, "score")
        maps = self._candidates(outputs, "map")
        for part, names in (("score", scores), ("map", maps)):
            if len(names) > 1:
                raise _unclear(f"{' and '.join(names)} could be the {part}", outputs)
        if not scores and not maps:
            raise _unclear("none of its outputs is a score or a map of one image", outputs)
        plane = np.asarray(outputs[maps[0]], np.float32) if maps else None
        found = None if plane is None else plane.reshape(plane.shape[-2:])
        if scores:
            return float(np.asarray(outputs[scores[0]]).reshape(())), found
        return float(np.max(found)), found  # type: ignore[arg-type]

    def _candidates(self, outputs: Mapping[str, NDArray[Any]], part: str) -> list[str]:
        named, fits = getattr(self, part), PARTS[part]
        if named is None:
            # One part named alone is all that is wanted: the other may be declared as well.
            unnamed = self.score is None and self.map is None
            return [name for name, values in outputs.items() if unnamed and fits(values)]
        if named not in outputs:
            raise _unclear(f"it has no output {named!r}", outputs)
        if not fits(outputs[named]):
            raise _unclear(f"its output {named!r} is not one {part} per image", outputs)
        return [named]


def output_choice(given: object, names: Sequence[str] | None) -> OutputChoice:
    """Return the outputs that the user names.

    Parameters
    ----------
    given : mapping or None
        ``{score: name, map: name}``; one of them is enough, and then the other is not used.
    names : sequence of str, optional
        Outputs of the file, where it tells before it runs.

    Raises
    ------
    DetectorError
        If it has another form, or the file has no such output.
    """
    if given is None:
        return OutputChoice()
    if not isinstance(given, dict) or not given or not given.keys() <= PARTS.keys():
        raise DetectorError(
            f"outputs must be {{score: name, map: name}}, or one of them, not {given!r}"
        )
    chosen = {part: str(name) for part, name in given.items()}
    for name in chosen.values():
        if names is not None and name not in names:
            raise DetectorError(f"it has no output {name!r}; its outputs: {', '.join(names)}")
    return OutputChoice(**chosen)


def _unclear(what: str, outputs: Mapping[str, NDArray[Any]]) -> DetectorError:
    listed = ", ".join(f"{n} {list(v.shape)} {v.dtype}" for n, v in outputs.items()) or "none"
    return DetectorError(
        f"{what}; its outputs: {listed}. Name them: outputs: {{score: name, map: name}}"
    )
