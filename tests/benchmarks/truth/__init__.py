"""Is a verdict right as often as it claims? Every regime, on populations whose truth is known."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pytest_robustbench.processors import processors
from truth.interval_regimes import coverage
from truth.judging import Effort
from truth.regimes import REGIMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from table import Table

FULL = Effort(400, 300, (1, 5, 10), 200_000, processors())
QUICK = Effort(2, 20, (1, 5), 2_000, defects=(20,))

TABLES: dict[str, Callable[[Effort], Table]] = {
    **{name: regime.table for name, regime in REGIMES.items()},
    "intervals": coverage,
}
"""Every table by name: from an effort."""
BESIDE: tuple[str, ...] = ("propose_regimes", "latency_regimes")
"""Modules beside this folder whose `tables` ask the same of other claims."""


def tables(quick: bool) -> list[Table]:
    """Return every table of this benchmark."""
    effort = QUICK if quick else FULL
    own = [table(effort) for table in TABLES.values()]
    return own + [table for name in BESIDE for table in import_module(name).tables(quick)]
