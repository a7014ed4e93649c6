"""How a YAML file or a call refers to a corruption; parsed without importing anything heavy.

A reference is a name (``blur``), an import path (``package.module:rain``), or a mapping with one of
these or ``compose`` as its key, and optionally ``name`` and ``at``::

    blur
    line.weather:rain
    {lighting: {direction: darker}, name: dim}
    {exposure: {ev: -0.3}, name: dimmer}     # one condition, by value
    {jpeg: {}, at: model}                    # after the resize, not at the camera
    {"line.weather:rain": {amount: 3}}
    {compose: [motion_blur, {lighting: {direction: darker}}]}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast, get_args

from pytest_robustbench.corruptions.catalogue import QUANTITIES
from pytest_robustbench.corruptions.names import KEYWORDS, RESERVED, check_name
from pytest_robustbench.corruptions.stages import Place
from pytest_robustbench.errors import CorruptionError

if TYPE_CHECKING:
    from collections.abc import Iterable

_FORMS = (
    "write a name (blur), an import path (package.module:rain), a mapping with parameters "
    "({lighting: {direction: darker}}) or {compose: [blur, lighting]}"
)

_IDENTIFIERS = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_IMPORT_PATH = re.compile(f"{_IDENTIFIERS}:{_IDENTIFIERS}")


@dataclass(frozen=True)
class Reference:
    """A corruption as it is referred to.

    Parameters
    ----------
    name : str
        What condition ids call it.
    target : str
        Its own name or its import path; empty for a composition.
    parameters : mapping
        What is set; the rest keeps its default.
    parts : tuple of Reference
        Of a composition.
    at : {"camera", "model"}, optional
        Where it acts; where it does by itself if that is not said.
    """

    name: str
    target: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)
    parts: tuple[Reference, ...] = ()
    at: Place | None = None

    @property
    def by_value(self) -> bool:
        """Whether it names one level, so that it has no severities."""
        if self.parts:
            return all(part.by_value for part in self.parts)
        graded = {quantity.name for quantity in QUANTITIES.get(self.target, ())}
        return not graded.isdisjoint(self.parameters)

    def targets(self) -> tuple[str, ...]:
        """Return the names and import paths it is made of."""
        if not self.parts:
            return (self.target,)
        return tuple(target for part in self.parts for target in part.targets())


def parse_reference(reference: object) -> Reference:
    """Return `reference`, a string or mapping, taken apart; whether its target exists is not asked.

    Condition ids call it by the ``name`` it is given; else by its own name, the last part of its
    import path in lower-case letters, or the names of the parts of a composition, joined by
    underscores.

    Raises
    ------
    CorruptionError
        If `reference` has none of the forms above.
    """
    if isinstance(reference, str):
        return Reference(_own_name(reference), reference)
    if not isinstance(reference, Mapping):
        raise _malformed(reference, "neither text nor a mapping")
    content = dict(reference)
    given, place = content.pop("name", None), content.pop("at", None)
    parsed = replace(_parsed(reference, content), at=_place(place))
    return parsed if given is None else _called(given, parsed)


def _place(place: object) -> Place | None:
    if place is not None and place not in get_args(Place):
        raise CorruptionError(
            f"'at' must be camera (before the resize) or model (after it), not {place!r}"
        )
    return cast("Place | None", place)


def _parsed(reference: object, content: Mapping[object, object]) -> Reference:
    if len(content) != 1:
        keys = ", ".join(map(repr, content)) or "no"
        raise _malformed(
            reference, f"one corruption and at most 'name' and 'at' are expected, not {keys}"
        )
    ((target, value),) = content.items()
    if not isinstance(target, str):
        raise _malformed(reference, f"{target!r} is no name")
    if target == "compose":
        return _composition(value)
    return Reference(_own_name(target), target, _parameters(target, value))


def _composition(value: object) -> Reference:
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) < 2:
        raise CorruptionError(f"compose needs a list of at least two corruptions, not {value!r}")
    parts = tuple(parse_reference(part) for part in value)
    if any(part.at is not None for part in parts):
        raise CorruptionError("'at' belongs to the whole of a composition: write it beside compose")
    check_parts(part.name for part in parts)
    name = "_".join(part.name for part in parts)
    check_name(name)
    return Reference(name, parts=parts)


def check_parts(names: Iterable[str]) -> None:
    """Refuse a composition that holds a name twice.

    Raises
    ------
    CorruptionError
        Naming the first name that is repeated.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise CorruptionError(
                f"compose holds {name!r} twice; drop one of them, or give it another 'name'"
            )
        seen.add(name)


def _own_name(target: str) -> str:
    """Return what a name or an import path is called unless it is renamed."""
    if target in (*RESERVED, *KEYWORDS) or not target.strip():
        raise _malformed(target, "that is the name of no corruption")
    if ":" not in target:
        return target
    if not _IMPORT_PATH.fullmatch(target):
        raise CorruptionError(f"{target!r} is not of the form package.module:name")
    name = re.split("[:.]", target)[-1].lower()
    check_name(name)
    return name


def _parameters(target: str, value: object) -> dict[str, Any]:
    """Return the parameters of `target`; none where the YAML leaves the value empty."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise CorruptionError(
            f"the parameters of corruption {target!r} must be a mapping, not {value!r}"
        )
    return dict(value)


def _called(name: object, reference: Reference) -> Reference:
    if not isinstance(name, str):
        raise CorruptionError(f"the 'name' of a corruption must be text, not {name!r}")
    check_name(name)
    return replace(reference, name=name)


def _malformed(reference: object, why: str) -> CorruptionError:
    return CorruptionError(f"{reference!r} does not refer to a corruption: {why}; {_FORMS}")
