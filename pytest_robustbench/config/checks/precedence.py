"""Which limit binds which condition: the most specific declaration of each metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pytest_robustbench.conditions import RECORDED
from pytest_robustbench.config.yaml.nodes import value_mark
from pytest_robustbench.gates.limits import Limit
from pytest_robustbench.metrics.catalogue import limit_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.config.models.limits import Accept, Bound
    from pytest_robustbench.config.models.values import Section
    from pytest_robustbench.config.yaml.nodes import Table
    from pytest_robustbench.gates.soundness import OneSided
    from pytest_robustbench.metrics.metric import Bound as BoundName

Layer = dict[str, "Limit | None"]
"""The limits of one scope; ``None`` drops what a less specific scope declares."""


class LimitTable:
    """The limits of one benchmark, by scope.

    Parameters
    ----------
    accept : Accept
        The validated section.
    table : Table
        The same section with its places in the file.
    file : str
        How messages name the file.
    """

    def __init__(self, accept: Accept, table: Table, file: str) -> None:
        self._accept = accept
        self._table = table
        self._file = file

    def of(self, condition: Condition) -> tuple[Limit, ...]:
        """Return the limits that bind `condition`, metric by metric the most specific one."""
        return _most_specific(self._layer(*scope) for scope in _scopes_of(condition))

    def one_sided(self, condition: Condition | None) -> OneSided | None:
        """Return the side that the limits of a condition, or of the summary, see alone."""
        meant: OneSided | None = None
        for scope in _scopes_of(condition) if condition else (("summary",),):
            section = self._section(*scope)
            if section is not None and "one_sided" in section.model_fields_set:
                meant = getattr(section, "one_sided", None)
        return meant

    def of_summary(self) -> tuple[Limit, ...]:
        """Return the limits over all conditions."""
        return _most_specific([self._layer("summary")])

    def _layer(self, *scope: str) -> Layer:
        section, table = self._section(*scope), self._table
        for step in scope:
            table = table.table(step)
        return {} if section is None else _limits(section, table, self._file)

    def _section(self, *scope: str) -> Section | None:
        section: Section | None = self._accept
        for step in scope:
            section = _entry(section, step)
        return section


def _scopes_of(condition: Condition) -> tuple[tuple[str, ...], ...]:
    """Return the scopes that reach `condition`, the least specific first."""
    if condition.is_clean:
        return ("all",), ("clean",)
    if condition.ladder:
        return ()
    if condition.recorded:
        return ("all",), (RECORDED,), (RECORDED, condition.recorded)
    name = condition.corruption
    of_corruption = ("all",), (name,)
    if condition.severity is None:
        return of_corruption
    return *of_corruption, (name, f"severity_{condition.severity:g}")


def _entry(section: Section | None, key: str) -> Section | None:
    """Return the section under `key`, or None where it is not written."""
    if section is None:
        return None
    # A corruption may be called like a method of pydantic's, so attributes are for fields alone.
    is_field = key in type(section).model_fields
    entry = getattr(section, key) if is_field else (section.model_extra or {}).get(key)
    return cast("Section | None", entry)


def _limits(section: Section, table: Table, file: str) -> Layer:
    written = (name for name in limit_names() if name in section.model_fields_set)
    return {metric: _limit(metric, getattr(section, metric), table, file) for metric in written}


def _limit(metric: str, bound: Bound | None, table: Table, file: str) -> Limit | None:
    if bound is None:
        return None
    line = value_mark(table, (metric, bound.bound)).line
    return Limit(metric, cast("BoundName", bound.bound), bound.value, f"{file}:{line}")


def _most_specific(layers: Iterable[Mapping[str, Limit | None]]) -> tuple[Limit, ...]:
    binding: Layer = {}
    for layer in layers:
        binding.update(layer)
    return tuple(limit for m in limit_names() if (limit := binding.get(m)) is not None)
