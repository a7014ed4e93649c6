"""Two reports as pairs of columns over the images they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.datasets.split import listed
from pytest_robustbench.errors import ReportError
from pytest_robustbench.gates.regression.pairs import Pair
from pytest_robustbench.reports.compare.evidence import outputs_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.gates.regression.pairs import Outputs
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
    outputs = [_outputs(report, condition, ids) for report in (baseline, candidate)]
    _require_same_left_out(condition, ids, *outputs)
    samples = baseline.samples(condition)
    labels = np.array(samples["label"], np.int64)[_rows(samples, ids)]
    return Pair(condition, ids, labels, *outputs)


def _rows(samples: Mapping[str, Any], ids: Sequence[str]) -> NDArray[np.intp]:
    places = {i: row for row, i in enumerate(samples["id"])}
    return np.array([places[i] for i in ids], np.intp)


def _outputs(report: StoredReport, condition: str, ids: Sequence[str]) -> Outputs:
    return outputs_of(report.record(condition)).of(_rows(report.samples(condition), ids))


def _require_same_left_out(
    condition: str, ids: Sequence[str], baseline: Outputs, candidate: Outputs
) -> None:
    gone = np.isnan(baseline.score), np.isnan(candidate.score)
    differing = np.flatnonzero(gone[0] != gone[1])
    if differing.size:
        only = "baseline" if gone[0][differing[0]] else "candidate"
        raise ReportError(
            f"{condition} is not comparable: under the same specification the {only} leaves out "
            f"{listed(ids[i] for i in differing.tolist())}, which the other report measures: "
            "measure the baseline again"
        )
