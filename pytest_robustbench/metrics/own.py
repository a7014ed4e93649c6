"""Metrics of one's own: registered in code, named by an import path, or brought by a package."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from pytest_robustbench.errors import MetricError
from pytest_robustbench.importing import import_object, installed, place_of, same_code
from pytest_robustbench.metrics.catalogue import METRICS, REGISTERED, SUMMARY_PREFIXES
from pytest_robustbench.metrics.metric import SHARE, Kind, Level, Metric, Sight
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pytest_robustbench.metrics.metric import Formula
    from pytest_robustbench.metrics.outcomes import Column, Outcomes

ENTRY_POINT_GROUP = "pytest_robustbench.metrics"
RESERVED = (
    *("all", "clean", "recorded", "summary", "tolerance"),  # scopes of limits
    *("confidence", "unsure"),  # settings beside them
    *("baseline", "anchor", "min_overlap", "strict_pixels", "inconclusive"),
    "one_sided",  # stands beside limits and changes alike
)
DEFINITION = (
    *("level", "more_is_better", "meaning", "rests_on", "sees", "largest", "unit"),
    *("version", "source"),
)
"""What a report says of a metric of one's own: all but its formula."""
MEANS_THE_SAME = ("level", "more_is_better", "rests_on", "largest")
"""What must agree for two metrics of one name to be judged alike."""


def register_metric(
    *,
    more_is_better: bool,
    meaning: str,
    name: str | None = None,
    level: Level = "image",
    rests_on: Kind = "any",
    sees: tuple[Sight, ...] = (),
    largest: float = 1.0,
    unit: str = SHARE,
    version: int = 1,
) -> Callable[[Formula], Metric]:
    """Make a function of the outcomes a metric, as its decorator.

    It takes the `Outcomes` of N images and returns two columns of shape ``(N,)``: what each image
    adds to a numerator and to a denominator, at least 0; the metric is the ratio of their sums. An
    image whose denominator is 0, or one of whose numbers is NaN, adds nothing.

    Parameters
    ----------
    more_is_better : bool
        Whether limits on it are floors (``min``); else they are ceilings (``max``).
    meaning : str
        What it is, in words: it stands beside it in the report.
    name : str, optional
        How limits call it: lower-case letters, digits, underscores; by default as the function.
    level : {"image", "pixel"}
        Whether it is about decisions on images or about pixels, which need maps and a threshold.
    rests_on : {"any", "defect", "normal", "both"}
        The images it speaks of; others add nothing, and without them it is not defined. ``"both"``
        is not defined where either kind is missing.
    sees : tuple of {"misses", "false alarms"}
        What a limit on it can notice.
    largest : float
        No value can be larger (``float("inf")``: there is no such bound); none is below 0.
    unit : str
        What it is measured in.
    version : int
        Raise it whenever the function gives other numbers than before.

    Raises
    ------
    MetricError
        If the name is taken or cannot be one, or a word is none of those above.

    Examples
    --------
    >>> @register_metric(more_is_better=False, meaning="area called in good parts", level="pixel",
    ...                  rests_on="normal", sees=("false alarms",))
    ... def reject_area(outcomes):
    ...     return outcomes.fp, outcomes.fp + outcomes.tn
    >>> reject_area.bound
    'max'
    """

    def registered(formula: Formula) -> Metric:
        return known(
            Metric(
                name or formula.__name__,
                level,
                more_is_better,
                meaning,
                _Formula(formula),
                rests_on=rests_on,
                sees=sees,
                largest=largest,
                unit=unit,
                version=version,
                source=f"{formula.__module__}:{formula.__qualname__}",
            )
        )

    return registered


def load_metric(reference: str | Metric, folder: Path | None = None) -> Metric:
    """Return the metric that `reference` refers to.

    Parameters
    ----------
    reference : str or Metric
        What `register_metric` returned, or its import path ``package.module:name``; the name of a
        metric that is registered, or of an entry point in the group ``pytest_robustbench.metrics``.
    folder : Path, optional
        Folder that import paths start at: that of the YAML file.

    Raises
    ------
    MetricError
        If nothing is called so, it cannot be imported, or is no metric.
    """
    if not isinstance(reference, str):
        return _known(reference, repr(reference))
    if reference in REGISTERED:
        return REGISTERED[reference]
    entry = None if ":" in reference else installed(ENTRY_POINT_GROUP).get(reference)
    if entry is None and ":" not in reference:
        names = [*REGISTERED, *installed(ENTRY_POINT_GROUP)]
        near = suggestion(reference, names) if names else "none is registered or installed"
        raise MetricError(
            f"unknown metric {reference!r} of one's own; {near}; give an import path such as "
            "line.metrics:lit_parts"
        )
    try:
        found = entry.load() if entry else import_object(reference, folder)
    except Exception as error:
        raise MetricError(
            f"metric {reference!r} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    return _known(found, repr(reference))


def _known(found: object, what: str) -> Metric:
    if not isinstance(found, Metric):
        raise MetricError(
            f"metric {what} is a {type(found).__name__}: decorate a function of the outcomes with "
            "pytest_robustbench.register_metric"
        )
    return known(found)


def known(metric: Metric) -> Metric:
    """Make a metric known in this process, and return what its name stands for.

    Raises
    ------
    MetricError
        If it cannot be one, or its name stands for another one.
    """
    _check_name(metric.name)
    for field, found, words in _words(metric):
        if found not in words:
            raise MetricError(
                f"metric {metric.name!r}: {field} must be one of {', '.join(words)}, not {found!r}"
            )
    if not metric.meaning.strip() or not metric.largest > 0:
        raise MetricError(f"metric {metric.name!r} needs a meaning, and a largest value above 0")
    before = REGISTERED.get(metric.name)
    if before is not None and not _agree(before, metric):
        raise MetricError(
            f"a metric {metric.name!r} is registered already ({_origin(before)}) and differs from "
            f"this one ({_origin(metric)}): give one of them another name"
        )
    if before is None or not _is_stored(metric):
        REGISTERED[metric.name] = metric
    return REGISTERED[metric.name]


def definition_of(metric: Metric) -> dict[str, Any]:
    """Return all that is known about a metric of one's own, as plain JSON."""
    plain = {name: getattr(metric, name) for name in DEFINITION}
    bounded = math.isfinite(metric.largest)
    return {**plain, "sees": list(metric.sees), "largest": metric.largest if bounded else None}


def metric_from(name: str, definition: Mapping[str, Any]) -> Metric:
    """Return a metric as a report tells of it: its columns are stored, its formula is elsewhere."""
    largest = math.inf if definition["largest"] is None else definition["largest"]
    fields = {**definition, "sees": tuple(definition["sees"]), "largest": largest}
    return Metric(name, formula=_Stored(name), **fields)


@dataclass(frozen=True)
class _Stored:
    """Reads what was measured."""

    name: str

    def __call__(self, outcomes: Outcomes) -> tuple[Column, Column]:
        ratio = outcomes.own[self.name]
        return ratio.numerator, ratio.denominator


@dataclass(frozen=True)
class _Formula:
    """A user's function, whose columns are checked."""

    function: Formula

    def __call__(self, outcomes: Outcomes) -> tuple[Column, Column]:
        import numpy as np

        where = f"metric {self.function.__module__}:{self.function.__qualname__}"
        n = len(outcomes.labels)
        must = f"{where} must return two columns over {n} images"
        try:
            found = self.function(outcomes)
        except Exception as error:
            raise MetricError(f"{where} raised {type(error).__name__}: {error}") from error
        if not isinstance(found, tuple) or len(found) != 2:
            raise MetricError(f"{must}, (numerator, denominator), not a {type(found).__name__}")
        for column in map(np.asanyarray, found):
            if isinstance(column, np.ma.MaskedArray) or column.dtype.kind not in "biuf":
                raise MetricError(
                    f"{must} of real numbers, not a {type(column).__name__} of {column.dtype}"
                )
            if column.shape != (n,):
                raise MetricError(f"{must}, not one of shape {column.shape}")
            if (column < 0).any() or not np.isfinite(np.nansum(column, dtype=np.float64)):
                raise MetricError(f"{where} returned a number below 0, or too large to be summed")
        return np.asarray(found[0], np.float64), np.asarray(found[1], np.float64)


def _words(metric: Metric) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    yield "level", metric.level, ("image", "pixel")
    yield "rests_on", metric.rests_on, get_args(Kind)
    for word in metric.sees:
        yield "sees", word, get_args(Sight)


def _check_name(name: str) -> None:
    taken = (*METRICS, *RESERVED)
    if name in taken or name.startswith((*SUMMARY_PREFIXES, "clean_", "severity_")):
        raise MetricError(f"a metric cannot be called {name!r}: that name is taken")
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise MetricError(
            f"a metric cannot be called {name!r}: limits name it, so it may hold only lower-case "
            "letters, digits and underscores; give it a name="
        )


def _agree(one: Metric, other: Metric) -> bool:
    """Return whether two metrics of one name may stand for each other in this process.

    A report may tell of another version, which means the same and is compared with none: see
    `same_numbers`. Two functions may not.
    """
    if _is_stored(one) or _is_stored(other):
        return all(getattr(one, name) == getattr(other, name) for name in MEANS_THE_SAME)
    functions = [m.formula.function for m in (one, other) if isinstance(m.formula, _Formula)]
    return definition_of(one) == definition_of(other) and same_code(*functions)


def same_numbers(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    """Return whether two definitions, each of a report, give numbers that can be compared."""
    if one is None or other is None:  # one that lacks the metric is told of where it is compared
        return True
    return all(one[name] == other[name] for name in (*MEANS_THE_SAME, "version"))


def _is_stored(metric: Metric) -> bool:
    return isinstance(metric.formula, _Stored)


def _origin(metric: Metric) -> str:
    function = metric.formula.function if isinstance(metric.formula, _Formula) else None
    where = metric.source if function is None else place_of(function)
    return f"{where}, version {metric.version}"
