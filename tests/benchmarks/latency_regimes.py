"""How often a verdict on latency is right: simulated machines that the gate does not know.

Each regime draws pairs of runs of one detector and of one that is slower by just what is allowed,
or by twice the time. No time is measured.

- *false alarm*: nothing is allowed and the model is the same; share of draws regressed.
- *false pass*: it is slower by just what is allowed; share of draws that pass.
- *power*: it takes three times the time, and half more is allowed; share of draws regressed.
- *decided*: the model is the same, and twice the time is allowed; share of draws that pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.signal import lfilter
from table import Table

from pytest_robustbench.gates.regression.changes import AllowedChange
from pytest_robustbench.gates.regression.latency import judge_latency
from pytest_robustbench.gates.regression.timings import SESSION_SPREAD, LatencySample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

DRAWS = 400
COLUMNS = ("regime", "metric", "false alarm", "false pass", "power", "decided")
CONDITIONS = tuple(f"condition {i}" for i in range(7))
N_CALLS = 40


@dataclass(frozen=True)
class Regime:
    """What disturbs two runs; spreads are standard deviations of logarithms.

    Parameters
    ----------
    name : str
        What a table calls it.
    session : float
        Of a run's speed, which its reference does not follow.
    machine : float
        Of what the reference leaves between two machines; 0 on one machine.
    reference : float
        Of the reference workload alone, from run to run.
    load, memory : float
        Of the load that both follow, and for how many calls it stays.
    slow : (float, float)
        Least and most share of calls that take five times as long.
    """

    name: str
    session: float = 0.0
    machine: float = 0.0
    reference: float = 0.0
    load: float = 0.01
    memory: float = 20.0
    slow: tuple[float, float] = (0.0, 0.0)


REGIMES = (
    Regime("quiet machine"),
    Regime("drift the reference does not follow, 10 %", session=0.1),
    Regime("drift the reference does not follow, 20 %", session=0.2),
    Regime("load for a whole run", load=0.2, memory=20_000),
    Regime("two machines, 20 % left", machine=0.2),
    Regime("two machines, 20 % left, sessions differ by 20 %", machine=0.2, session=0.2),
    Regime("two machines, reference of another speed by 10 %", machine=0.2, reference=0.1),
    Regime("4 to 6 % slow calls", slow=(0.04, 0.06)),
    Regime("4 to 6 % slow calls, sessions differ by 10 %", slow=(0.04, 0.06), session=0.1),
)


class Rates(NamedTuple):
    """Shares of the draws."""

    alarm: float
    false_pass: float
    power: float
    decided: float


def tables(quick: bool) -> list[Table]:
    """Return the table of this benchmark."""
    draws = 3 if quick else DRAWS
    note = (
        f"{draws} draws a cell, two runs of {len(CONDITIONS)} x {N_CALLS} calls each; sessions and "
        f"machines are supposed to differ by {SESSION_SPREAD:.0%}."
    )
    return [Table("Latency of two runs", COLUMNS, tuple(rows(draws)), (note,))]


def rows(draws: int = DRAWS, seed: int = 0) -> Iterator[tuple[object, ...]]:
    """Yield a row of `COLUMNS` per regime and metric."""
    for i, regime in enumerate(REGIMES):
        for metric in ("latency_ms_per_image", "latency_p95_ms", "latency_relative"):
            rng = np.random.default_rng([seed, i])
            yield (regime.name, metric, *rates(regime, metric, draws, rng))


def rates(regime: Regime, metric: str, draws: int, rng: np.random.Generator) -> Rates:
    """Return how often one regime is judged rightly and wrongly."""

    def share(wanted: str, slower: float, allowed: float) -> float:
        change = AllowedChange(metric, "max_rise", allowed, True, "")
        found = (_outcome(regime, change, slower, rng) for _ in range(draws))
        return sum(outcome == wanted for outcome in found) / draws

    return Rates(
        share("regressed", 1, 0.0),
        share("pass", 1.5, 0.5),
        share("regressed", 3, 0.5),
        share("pass", 1, 1.0),
    )


def _outcome(regime: Regime, change: AllowedChange, slower: float, rng: np.random.Generator) -> str:
    speed = 2.0 if regime.machine else 1.0
    left = float(np.exp(rng.normal(0, regime.machine)))
    baseline = _run(regime, 10.0, 1.0, rng)
    candidate = _run(regime, 10.0 * slower * speed * left, speed, rng)
    same = regime.machine == 0
    return judge_latency("", change, baseline, candidate, same_machine=same).outcome


def _run(
    regime: Regime, ms: float, reference: float, rng: np.random.Generator
) -> dict[str, LatencySample]:
    n = N_CALLS * len(CONDITIONS)
    load = _load(regime, n, rng)
    calls = ms * np.exp(rng.normal(0, regime.session) + load + np.abs(rng.normal(0, 0.03, n)))
    calls[rng.random(n) < rng.uniform(*regime.slow)] *= 5
    own = rng.normal(0, regime.reference)
    timed = reference * np.exp(own + load[::4] + np.abs(rng.normal(0, 0.03, n // 4)))
    parts = zip(np.split(calls, len(CONDITIONS)), np.split(timed, len(CONDITIONS)), strict=True)
    return {c: LatencySample(*part) for c, part in zip(CONDITIONS, parts, strict=True)}


def _load(regime: Regime, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return an autoregressive process of the first order."""
    keep = float(np.exp(-1 / regime.memory))
    steps = rng.normal(0, regime.load * np.sqrt(1 - keep**2), n)
    steps[0] = rng.normal(0, regime.load)
    found: NDArray[np.float64] = lfilter([1.0], [1.0, -keep], steps)
    return found
