"""What a corruption is, and what it must return."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from pytest_robustbench.arrays import Image, Mask
from pytest_robustbench.conditions import (
    MIDDLE,
    SEVEREST,
    SEVERITY_WANTED,
    is_severity,
    rounded_severity,
)
from pytest_robustbench.corruptions.draws import generator
from pytest_robustbench.corruptions.keywords import with_keywords
from pytest_robustbench.corruptions.names import check_name
from pytest_robustbench.corruptions.pixels.gray import replicated
from pytest_robustbench.errors import CorruptionError, InstallationError

if TYPE_CHECKING:
    from pytest_robustbench.corruptions.stages import Place, Stage

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
"""Plain JSON."""


class Corrupted(NamedTuple):
    """One corrupted picture.

    Attributes
    ----------
    image : Image
        ``(H, W, 3)`` uint8, RGB; or ``(H, W)`` of a gray picture that was given as one plane.
    mask : Mask or None
        ``(H, W)`` bool, True = defect; ``None`` = unknown.
    ignored : Mask or None
        ``(H, W)`` bool, True = came from outside the frame and counts nowhere; ``None`` = none did.
    """

    image: Image
    mask: Mask | None
    ignored: Mask | None = None


CorruptionFunction: TypeAlias = Callable[
    [Image, "Mask | None", Any, np.random.Generator],
    "Corrupted | tuple[Image, Mask | None] | tuple[Image, Mask | None, Mask | None]",
]
"""``(image, mask, severity, rng)`` to ``(image, mask)`` or ``(image, mask, ignored)``.

It is called from several threads at once, and the arrays it is given are read-only. It draws from
`rng` the same numbers at every severity, which is an int where it is whole, else a float.
"""

KeptFunction: TypeAlias = Callable[[Mask, np.random.Generator], float]
"""``(mask, rng)`` to the share of the defect's pixels still in the frame at its severest."""


@dataclass(frozen=True)
class Corruption:
    """A named, versioned corruption.

    Parameters
    ----------
    name : str
        Lower-case letters, digits and underscores: it becomes part of test ids.
    function : CorruptionFunction
        What is done to a picture.
    version : int
        Raised whenever the same draw gives other pixels, so that reports are not compared.
    parameters : mapping
        What else decides the pixels; plain JSON, written into the report.
    moves_pixels : bool
        Whether pixels change place, so that a defect may leave the frame.
    kept : KeptFunction, optional
        For corruptions that move pixels, the share of the defect that severity 5 keeps. Without it
        the moved mask's area is held against the source mask's, change of scale included.
    fresh : bool
        The function promises that nobody keeps what it returns: every array is new, or is the
        image or mask it was given. New arrays are then handed on without a copy.
    configure : callable, optional
        Parameters to the corruption that has them. Without it they are given to `function` as
        keyword arguments.
    drawn_as : str, optional
        The name its draws are keyed by, where that is not `name`: a corruption that is renamed
        keeps its pixels.
    stage : Stage, optional
        Where on the way from the scene to the detector it happens; parts of a composition that
        all have one are put in this order.
    at : {"camera", "model"}
        Whether it acts on the picture at its own size, or after the resize.
    takes_planes : bool
        The function takes gray pictures as one plane ``(H, W)`` too.
    level : callable, optional
        Severity to what it means, in words and units.
    by_value : bool
        It has one level and no severities.
    respond : callable, optional
        Response of the camera to the corruption as such a camera would see it.

    Raises
    ------
    CorruptionError
        If `name` cannot be part of a test id or `parameters` is not plain JSON.
    """

    name: str
    function: CorruptionFunction
    version: int = 1
    parameters: Mapping[str, JSON] = field(default_factory=dict, hash=False)
    moves_pixels: bool = False
    kept: KeptFunction | None = None
    fresh: bool = False
    configure: Callable[[Mapping[str, JSON]], Corruption] | None = field(
        default=None, compare=False
    )
    drawn_as: str | None = None
    stage: Stage | None = None
    at: Place = "camera"
    takes_planes: bool = False
    level: Callable[[float], str] | None = field(default=None, compare=False)
    by_value: bool = False
    respond: Callable[[str], Corruption] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        object.__setattr__(self, "parameters", _plain(self.name, self.parameters))

    @property
    def key(self) -> str:
        """The name that draws are keyed by: the corruption's own, whatever it was renamed to."""
        return self.drawn_as or self.name

    def renamed(self, name: str) -> Corruption:
        """Return this corruption under another name; it draws the same and makes the same pixels.

        Raises
        ------
        CorruptionError
            If `name` cannot be part of a test id.
        """
        return self if name == self.name else replace(self, name=name, drawn_as=self.key)

    def configured(self, parameters: Mapping[str, JSON]) -> Corruption:
        """Return this corruption with some of its parameters set.

        Raises
        ------
        CorruptionError
            If it has no such parameter, or a value is out of range.
        """
        if not parameters:
            return self
        if self.configure is not None:
            return self.configure(parameters).renamed(self.name).placed(self.at)
        return replace(
            self,
            function=with_keywords(self.name, self.function, parameters, positional=4),
            parameters={**self.parameters, **parameters},
            kept=None,  # it knows nothing of the parameters: what is kept is measured instead
        )

    def placed(self, at: Place) -> Corruption:
        """Return this corruption acting at the camera, or on what the model is given."""
        return self if at == self.at else replace(self, at=at)

    def seen_by(self, response: str) -> Corruption:
        """Return this corruption as a camera of that response sees it."""
        if self.respond is None or self.parameters.get("response") == response:
            return self
        return self.respond(response).renamed(self.name).placed(self.at)

    def level_at(self, severity: float | None) -> str:
        """Return how strong a severity is, in words and units; empty where that is not known."""
        if self.level is None:
            return ""
        return self.level(MIDDLE if self.by_value or severity is None else severity)

    def specification(self, seed: int) -> dict[str, JSON]:
        """Return what decides the corrupted pixels of given sources, as plain JSON.

        A corruption that was renamed is specified by its own name: that is what it draws by.
        """
        return {
            "name": self.key,
            "version": self.version,
            "parameters": dict(self.parameters),
            "at": self.at,
            "seed": int(seed),
        }

    def apply(
        self, image: Image, mask: Mask | None, severity: float | None, *, seed: int, sample_id: str
    ) -> Corrupted:
        """Corrupt one picture.

        Parameters
        ----------
        image : Image
            ``(H, W, 3)`` uint8, RGB, or ``(H, W)`` of a gray picture; never written to.
        mask : Mask or None
            ``(H, W)`` bool; ``None`` where the defect's place is unknown.
        severity : float or None
            Above 0, at most 5; ``None`` of a corruption that is given by value.
        seed : int
            Seed of the benchmark.
        sample_id : str
            Identifier of the sample: with the seed it decides every draw.

        Returns
        -------
        Corrupted
            Read-only arrays that share memory with nothing else, with one exception: where the
            function leaves a read-only `mask` alone, ``result.mask is mask``, so that whatever is
            known about that mask is known to hold.

        Raises
        ------
        CorruptionError
            If `severity` is out of its range, or the function raises or returns anything but a
            picture of the same shape and types.
        """
        where = f"corruption {self.name!r} on sample {sample_id!r}"
        graded = self._graded(where, severity)
        rng = generator(seed, self.key, self.version, sample_id)
        given = locked(mask)
        try:
            result = self.drawn(locked(image), given, graded, rng)
        except CorruptionError as error:
            raise CorruptionError(f"{where} {error}") from error.__cause__
        same = mask is not None and result.mask is given and not mask.flags.writeable
        return Corrupted(
            self._owned(result.image),
            mask if same else self._owned(result.mask),
            self._owned(result.ignored),
        )

    def _graded(self, where: str, severity: float | None) -> float:
        """Return the severity that the function is given."""
        if self.by_value:
            if severity is None:
                return MIDDLE
            raise CorruptionError(f"{where}: it is given by value and has no severity")
        if not is_severity(severity):
            raise CorruptionError(f"{where}: severity must be {SEVERITY_WANTED}, not {severity!r}")
        return rounded_severity(severity)

    def drawn(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Corrupt one picture with the draws of `rng`; who owns the arrays is not looked after.

        Raises
        ------
        CorruptionError
            Beginning with "raised" or "returned": what the function did wrong.
        """
        shown = replicated(image) if image.ndim == 2 and not self.takes_planes else image
        try:
            returned = self.function(shown, mask, severity, rng)
        except InstallationError:
            raise
        except Exception as error:
            raise CorruptionError(f"raised {type(error).__name__}: {error}") from error
        return _checked(returned, shown, mask)

    def leaves_out(self, mask: Mask | None, *, seed: int, sample_id: str) -> bool:
        """Return whether less than half of a sample's defect survives the severest level.

        Such a sample is left out of every severity, so that all of them measure the same samples.
        Samples without a known, non-empty mask are never left out.
        """
        if not self.moves_pixels or mask is None or not mask.any():
            return False
        if self.kept is not None:
            rng = generator(seed, self.key, self.version, sample_id)
            return bool(self.kept(mask, rng) < 0.5)
        blank = np.zeros((*mask.shape, 3), np.uint8)
        severity = None if self.by_value else SEVEREST
        moved = self.apply(blank, mask, severity, seed=seed, sample_id=sample_id)
        return 2 * _counted(moved) < int(np.count_nonzero(mask))

    def _owned(self, array: Any) -> Any:
        """Return `array` or, where anybody else may hold its memory, a copy: read-only."""
        if array is None:
            return None
        # A function may hand back its input, a view of it, or a buffer it will use again.
        alone = self.fresh and array.base is None and array.flags.carray
        own = array if alone else np.array(array, order="C")
        own.flags.writeable = False
        return own


def _plain(name: str, parameters: Mapping[str, JSON]) -> dict[str, JSON]:
    try:
        plain: dict[str, JSON] = json.loads(json.dumps(dict(parameters), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise CorruptionError(
            f"the parameters of corruption {name!r} must be plain JSON: {error}"
        ) from error
    return plain


def locked(array: Any) -> Any:
    """Return a read-only view of `array`; ``None`` of ``None``."""
    if array is None:
        return None
    view = array.view()
    view.flags.writeable = False
    return view


def _checked(returned: object, image: Image, mask: Mask | None) -> Corrupted:
    if not isinstance(returned, tuple) or len(returned) not in (2, 3):
        raise CorruptionError(
            f"returned {_described(returned)}, not (image, mask) or (image, mask, ignored)"
        )
    result = Corrupted(*returned)
    wide = (*image.shape[:2], 3)  # a plane may have got colour by a part that knows no planes
    is_wide = image.ndim == 2 and getattr(result.image, "shape", ()) == wide
    _check_array("image", result.image, np.uint8, wide if is_wide else image.shape)
    if (result.mask is None) != (mask is None):
        raise CorruptionError(
            f"returned {_described(result.mask)} as mask where it was given {_described(mask)}"
        )
    for part in ("mask", "ignored"):
        array = getattr(result, part)
        if array is not None:
            _check_array(part, array, np.bool_, image.shape[:2])
    return result


def _check_array(part: str, array: object, dtype: type, shape: tuple[int, ...]) -> None:
    good = isinstance(array, np.ndarray) and array.dtype == dtype and array.shape == shape
    if not good:
        wanted = f"{np.dtype(dtype).name} array of shape {shape}"
        raise CorruptionError(f"returned {_described(array)} as {part}, not a {wanted}")


def _described(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"a {value.dtype.name} array of shape {value.shape}"
    if value is None:
        return "None"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    return f"a {type(value).__name__}"


def _counted(moved: Corrupted) -> int:
    if moved.mask is None:
        return 0
    counted = moved.mask if moved.ignored is None else moved.mask & ~moved.ignored
    return int(np.count_nonzero(counted))
