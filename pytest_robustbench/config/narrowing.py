"""Measure less than the file declares, as the command line may ask."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.config.yaml.problems import shown_path
from pytest_robustbench.errors import ConfigError, UnfitOptionError
from pytest_robustbench.gates.limits import SUMMARY
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.config.declarations import BenchmarkDeclaration, RobustnessConfig


class Run(NamedTuple):
    """What the benchmarks of a file run, under one profile.

    Parameters
    ----------
    corruptions : tuple of str
        Names of corruptions, and ids of recorded sets and tolerances.
    severities : tuple of float
        Ascending.
    """

    corruptions: tuple[str, ...]
    severities: tuple[float, ...]


def run_by(config: RobustnessConfig) -> Run:
    """Return what can be asked of a file."""
    conditions = [c for b in config.benchmarks for c in b.conditions]
    named = [c.id for c in conditions if not c.is_pooled]
    names = dict.fromkeys([*(c.corruption for c in conditions if not c.ladder), *named])
    return Run(
        tuple(names), tuple(sorted({c.severity for c in conditions if c.severity is not None}))
    )


def narrow(
    config: RobustnessConfig,
    *,
    corruptions: Collection[str] | None = None,
    severities: Collection[float] | None = None,
    limit_train: int | None = None,
    limit_test: int | None = None,
    device: str | None = None,
) -> RobustnessConfig:
    """Return `config` with fewer conditions or images, or on another device; None changes nothing.

    Clean is always kept; ``corruptions=["clean"]`` keeps nothing else. What the file declares stays
    in `declared_conditions` and `declared_limits`, which completeness is judged against.

    Raises
    ------
    UnfitOptionError
        If no benchmark runs a corruption or severity.
    ConfigError
        If a limit is below 1.
    """
    where, run = shown_path(config.path), run_by(config)
    for asked in corruptions or ():
        if asked not in run.corruptions:
            unknown = f"no benchmark of {where} runs the corruption {asked!r}"
            raise UnfitOptionError(f"{unknown}; {suggestion(asked, run.corruptions)}")
    for severity in severities or ():
        if severity not in run.severities:
            valid = ", ".join(f"{each:g}" for each in run.severities) or "none"
            unknown = f"no benchmark of {where} runs severity {severity:g}"
            raise UnfitOptionError(f"{unknown}; valid: {valid}")
    for name, value in (("limit_train", limit_train), ("limit_test", limit_test)):
        if value is not None and value < 1:
            raise ConfigError(f"{name} must be at least 1, not {value}")
    benchmarks = (_narrowed(b, corruptions, severities) for b in config.benchmarks)
    return replace(
        config,
        benchmarks=tuple(
            replace(
                b,
                limit_train=b.limit_train if limit_train is None else limit_train,
                limit_test=b.limit_test if limit_test is None else limit_test,
                detector=b.detector if device is None else replace(b.detector, device=device),
            )
            for b in benchmarks
        ),
    )


def _narrowed(
    benchmark: BenchmarkDeclaration,
    corruptions: Collection[str] | None,
    severities: Collection[float] | None,
) -> BenchmarkDeclaration:
    def kept(condition: Condition) -> bool:
        return condition == CLEAN or bool(
            (
                corruptions is None
                or not {condition.corruption, condition.id}.isdisjoint(corruptions)
            )
            and (severities is None or condition.severity in (None, *severities))
        )

    conditions = tuple(c for c in benchmark.conditions if kept(c))
    names = {c.ladder or c.corruption for c in conditions}
    looked_for = {c.ladder for c in conditions}
    judged = {SUMMARY, *(c.id for c in conditions)}
    return replace(
        benchmark,
        conditions=conditions,
        corruptions={n: r for n, r in benchmark.corruptions.items() if n in names},
        limits={c.id: benchmark.limits[c.id] for c in conditions},
        one_sided={c: side for c, side in benchmark.one_sided.items() if c in judged},
        tolerances={n: b for n, b in benchmark.tolerances.items() if n in looked_for},
        measure_only=benchmark.measure_only & {c.id for c in conditions},
        waivers=tuple(w for w in benchmark.waivers if w.condition in judged),
    )
