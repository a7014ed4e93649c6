"""Which change makes pictures before look like pictures after, and how sure that is.

Pictures before are put through a change (`change.imitated`) and looked at (`traits.traits`); the
change that is looked for makes the mean traits of both sides equal [1]_. So clipping, rounding and
what one kind of drift does to the traits of another are reckoned with, and the fit is made of what
is needed: a parameter enters only where the ones before it leave more than chance would.

References
----------
.. [1] Gourieroux, Monfort and Renault, "Indirect inference", Journal of Applied Econometrics 8,
   1993; weights by the covariance of Ledoit and Wolf, Journal of Multivariate Analysis 88, 2004.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pytest_robustbench.drift.change import Change
from pytest_robustbench.drift.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Vector = NDArray[np.float64]
    Matrix = NDArray[np.float64]


class Imitations(Protocol):
    """Pictures before, as they would look after a change."""

    @property
    def count(self) -> int:
        """How many there are."""

    def __call__(self, change: Change, which: NDArray[np.intp]) -> Matrix:
        """Return the traits ``(n, D)`` of some of them, after a change."""


STEPS: Mapping[str, float] = MappingProxyType(
    {
        "exposure": 0.1,
        "white_balance": 10.0,
        "veil": 0.05,
        "gradient_x": 0.2,
        "gradient_y": 0.2,
        "vignette": 0.2,
        "blur": 0.25,
        "noise": 4.0,
    }
)
"""By how much a parameter is moved to see what it does."""
FURTHEST = 10
"""The largest step of one round, in those steps."""
HINT = 0.8
"""Where nothing alone is this share of what would be told, nothing is looked for together."""
STRAIGHT = ("exposure", "white_balance", "gradient_x", "gradient_y", "vignette")
"""What does the same to the traits wherever it starts from: they are logarithms of light."""
SLOPED = 8
"""Pictures that the effect of a parameter is worked out on."""
ROUNDS, HALVINGS, GAIN = 8, 2, 1.0
"""At most so many rounds, each of a step or less, until one would explain no more than this: a
difference of chance alone is, in the same measure, as large as there are traits."""


@dataclass(frozen=True)
class Estimate:
    """One parameter.

    Parameters
    ----------
    value : float
        In the units of `Change`.
    margin : float
        Half the width of its interval; the intervals of all parameters hold together in 95 of 100
        comparisons.
    floor : float
        The same of a comparison of pictures before among themselves: what is smaller is not seen.
    """

    value: float
    margin: float
    floor: float

    @property
    def excess(self) -> float:
        """How many times it is as large as what is not told apart from zero."""
        chance = max(self.margin, self.floor)
        return abs(self.value) / chance if chance else 0.0

    @property
    def told(self) -> bool:
        """Whether it is told apart from zero."""
        return self.excess > 1


@dataclass(frozen=True, eq=False)
class Fit:
    """What explains the difference.

    Parameters
    ----------
    change : Change
        Of what is told apart from zero; the rest is 0.
    estimates : mapping of str to Estimate
        Every parameter: those of `change` together, each other one beside them.
    remaining : ndarray, shape (n, D)
        Traits of the pictures before, after the change.
    """

    change: Change
    estimates: Mapping[str, Estimate]
    remaining: Matrix


def fit(
    before: Imitations,
    after: Matrix,
    parameters: Sequence[str],
    *,
    tolerance: Vector,
    compared: int,
) -> Fit:
    """Return the change that makes pictures before look like those after.

    Parameters
    ----------
    before : Imitations
        The pictures before, whatever happens to them.
    after : ndarray, shape (n, D)
        Traits of the pictures after.
    parameters : sequence of str
        Names of `Change` that pictures of this kind can have.
    tolerance : ndarray, shape (D,)
        See `Weights`.
    compared : int
        How many things are compared in all: the more, the wider each margin.
    """
    model = _Model(before, after, tolerance)
    at_first = model.near(Change(), parameters, ()).estimates((), compared)
    if all(one.excess < HINT for one in at_first.values()):
        return Fit(Change(), at_first, model.traits(Change(), ()))
    everything = model.solved(Change(), parameters)
    # Near the solution every parameter does what a straight line says.
    near = model.near(everything, parameters)
    chosen = _needed(lambda together: near.estimates(together, compared), parameters)
    while True:
        change = model.solved(_only(everything, chosen), chosen)
        found = model.near(change, parameters, chosen).estimates(chosen, compared)
        needed = tuple(name for name in chosen if found[name].told)
        if needed == chosen:
            return Fit(change, found, model.traits(change, chosen))
        chosen = needed


def _needed(
    estimates: Callable[[Sequence[str]], Mapping[str, Estimate]], parameters: Sequence[str]
) -> tuple[str, ...]:
    """Return the parameters that explain what chance does not, the strongest first."""
    chosen: tuple[str, ...] = ()
    tried = set[str]()
    while True:
        found = estimates(chosen)
        chosen = tuple(name for name in chosen if found[name].told)
        left = [name for name in parameters if name not in tried and found[name].told]
        if not left:
            return chosen
        strongest = max(left, key=lambda name: found[name].excess)
        tried.add(strongest)
        chosen = (*chosen, strongest)


def _only(change: Change, names: Sequence[str]) -> Change:
    return Change(**{name: getattr(change, name) for name in names})


class _Near:
    """What the parameters do about a change, as straight lines."""

    def __init__(self, weights: Weights, difference: Vector, parameters: Sequence[str]) -> None:
        self._weights = weights
        self._difference = difference
        self._parameters = list(parameters)

    def estimates(self, chosen: Sequence[str], compared: int) -> dict[str, Estimate]:
        """Return every parameter: those `chosen` together, each other one beside them."""
        found = {}
        for name in self._parameters:
            together = (*chosen, name) if name not in chosen else tuple(chosen)
            which = [self._parameters.index(one) for one in together]
            place = together.index(name)
            value = self._weights.solution(self._difference, which)[place]
            margin, floor = (ends[place] for ends in self._weights.margins(which, compared))
            found[name] = Estimate(float(value), float(margin), float(floor))
        return found


class _Model:
    """Pictures before as a function of the change, held against those after."""

    def __init__(self, before: Imitations, after: Matrix, tolerance: Vector) -> None:
        self._before = before
        self._after = after
        self._tolerance = tolerance
        count = before.count
        self._all = np.arange(count)
        self._sloped = np.unique(np.linspace(0, count - 1, min(count, SLOPED)).astype(np.intp))
        self._seen: dict[Change, Matrix] = {}
        self._slopes: dict[tuple[Change, str], Vector] = {}

    def traits(self, change: Change, chosen: Sequence[str]) -> Matrix:
        """Return the traits of the pictures before; what cannot be imitated is extrapolated."""
        seen = self._imitated(change.imitable)
        for name in chosen:
            beyond = getattr(change, name) - getattr(change.imitable, name)
            if beyond:
                seen = seen + beyond * self._slope(change, name)
        return seen

    def solved(self, change: Change, chosen: Sequence[str]) -> Change:
        """Return the change at which nothing is left to explain for the parameters `chosen`."""
        for _ in range(ROUNDS if chosen else 0):
            weights = self._weights(change, chosen, chosen)
            rest = weights.difference
            step = weights.solution(rest, range(len(chosen)))
            if weights.left(rest) - weights.left(rest - weights.slopes @ step) < GAIN:
                break
            step /= max(1.0, np.abs(step / [STEPS[name] for name in chosen]).max() / FURTHEST)
            better = self._better(weights, change, dict(zip(chosen, step, strict=True)))
            if better is None:
                break
            change = better
        return change

    def near(
        self, change: Change, parameters: Sequence[str], chosen: Sequence[str] | None = None
    ) -> _Near:
        """Return the straight lines about a change; of parameters not `chosen` those at zero."""
        chosen = parameters if chosen is None else chosen
        weights = self._weights(change, chosen, parameters)
        at = [getattr(change, name) for name in parameters]
        return _Near(weights, weights.difference + weights.slopes @ at, parameters)

    def _better(self, weights: Weights, change: Change, step: Mapping[str, float]) -> Change | None:
        """Return the change a step further, or less of it, that explains more."""
        for share in 0.5 ** np.arange(HALVINGS + 1):
            moved = change
            for name, length in step.items():
                moved = moved.moved(name, float(share * length))
            rest = self._after.mean(axis=0) - self.traits(moved, tuple(step)).mean(axis=0)
            if weights.left(rest) < weights.left(weights.difference):
                return moved
        return None

    def _weights(self, change: Change, chosen: Sequence[str], names: Sequence[str]) -> Weights:
        bent = {name for name in chosen if name not in STRAIGHT}
        slopes = [self._slope(change if name in bent else Change(), name) for name in names]
        stacked = np.stack(slopes, axis=1)
        return Weights(self.traits(change, chosen), self._after, stacked, self._tolerance)

    def _imitated(self, change: Change) -> Matrix:
        if change not in self._seen:
            self._seen[change] = self._before(change, self._all)
        return self._seen[change]

    def _slope(self, change: Change, name: str) -> Vector:
        """Return what a step of a parameter does to the traits, per unit, ``(D,)``."""
        at = change.imitable
        if (at, name) not in self._slopes:
            step = STEPS[name]
            moved = self._before(at.moved(name, step), self._sloped)
            if name in STRAIGHT:  # both ways: rounding once more adds as much noise to each
                other, step = self._before(at.moved(name, -step), self._sloped), 2 * step
            else:
                other = self._imitated(at)[self._sloped]
            self._slopes[at, name] = (moved - other).mean(axis=0) / step
        return self._slopes[at, name]
