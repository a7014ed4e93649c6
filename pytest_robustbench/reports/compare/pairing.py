"""Two reports as pairs of columns over the images they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.errors import ReportError
from pytest_robustbench.gates.regression.pairs import Pair
from pytest_robustbench.naming import listed
from pytest_robustbench.reports.file.record import outcomes_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.metrics.outcomes import Outcomes
    from pytest_robustbench.reports.compare.comparability import Comparability
    from pytest_robustbench.reports.file.stored import StoredReport


def pairs_of(
    baseline: StoredReport, candidate: StoredReport, comparability: Comparability
) -> tuple[Pair, ...]:
    """Return one pair per condition, in the baseline's order of conditions and of images.

    Parameters
    ----------
    baseline, candidate : StoredReport
        As `read_comparable` returns them.
    comparability : Comparability
        Of the same two reports.

    Raises
    ------
    ReportError
        If they are not comparable, or an image is left out under a condition in one of them only.
    """
    if comparability.problems:
        raise ReportError(
            f"{candidate.path} is not comparable: {'; '.join(comparability.problems)}"
        )
    return tuple(
        _pair(condition, ids, baseline, candidate)
        for condition, ids in comparability.overlap.items()
    )


def _pair(
    condition: str, ids: tuple[str, ...], baseline: StoredReport, candidate: StoredReport
) -> Pair:
    outcomes = [_outcomes(report, condition, ids) for report in (baseline, candidate)]
    _require_same_left_out(condition, ids, *outcomes)
    return Pair(condition, ids, *outcomes)


def _rows(samples: Mapping[str, Any], ids: Sequence[str]) -> NDArray[np.intp]:
    places = {i: row for row, i in enumerate(samples["id"])}
    return np.array([places[i] for i in ids], np.intp)


def _outcomes(report: StoredReport, condition: str, ids: Sequence[str]) -> Outcomes:
    samples = report.samples(condition)
    return outcomes_of(report.record(condition), samples).of(_rows(samples, ids))


def _require_same_left_out(
    condition: str, ids: Sequence[str], baseline: Outcomes, candidate: Outcomes
) -> None:
    gone = ~baseline.measured, ~candidate.measured
    differing = np.flatnonzero(gone[0] != gone[1])
    if differing.size:
        only = "baseline" if gone[0][differing[0]] else "candidate"
        raise ReportError(
            f"{condition} is not comparable: under the same specification the {only} leaves out "
            f"{listed(ids[i] for i in differing.tolist())}, which the other report measures: "
            "measure the baseline again"
        )
