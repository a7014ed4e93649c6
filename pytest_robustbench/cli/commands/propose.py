"""``pytest-robustbench propose``: limits to start from, for who has no idea what to declare."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING

from pytest_robustbench.cli.files import put_out
from pytest_robustbench.errors import ConfigError, ReportError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Sequence

    from pytest_robustbench.reports.compare.proposal import Proposal, ProposedLimit
    from pytest_robustbench.reports.file.stored import StoredReport

SAFETY = 0.95
LATENCY_MARGIN = 1.5
HEAD = """\
# Limits for robustness.yaml, proposed from one run:
#   report {path}, {started}
#   model {model} on {dataset} {category}: {defects} defect and {normals} normal images
#   each limit is a one-sided {safety:g} % bound over the images, rounded outwards; behind it stands
#   what was measured
# They say "as good as this run", not "good enough": only you know what the line needs.
# Each bound holds for the model's true value, over all images of this kind, with {safety:g} %.
# A fresh test set varies as well: on one of the same size the same model breaks one such limit in
# about {risk:.2g} % of all cases, and at least one of these {n} limits more often than that.
"""
SILENT = (
    "# WARNING: none of these limits would fail a detector that never fires: add a floor such as "
    "pixel_segf1, or a ceiling on miss_rate\n"
)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("report", type=Path, help="report of a complete run")
    parser.add_argument(
        "--safety",
        type=float,
        default=SAFETY,
        metavar="SHARE",
        help="confidence of each limit, from 0.5 to below 1 (default: %(default)s)",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="a new file to write it to")


def run(arguments: Namespace) -> int:
    """Return the exit code."""
    from pytest_robustbench.reports.compare.proposal import propose_limits
    from pytest_robustbench.reports.file.integrity import read_comparable

    _check(arguments)
    report = read_comparable(arguments.report)
    proposal = propose_limits(report, arguments.safety)
    if not proposal.limits:
        reasons = "; ".join(proposal.omitted)
        raise ReportError(f"{arguments.report}: there is nothing to propose a limit for: {reasons}")
    text = proposal_text(report, proposal, arguments.safety)
    put_out(text, arguments.output, "proposal")
    return 0


def _check(arguments: Namespace) -> None:
    if not 0.5 <= arguments.safety < 1:  # NaN included
        raise ConfigError(f"--safety must be at least 0.5 and below 1, not {arguments.safety:g}")
    if arguments.output is not None and arguments.output.exists():
        raise ConfigError(f"--output {arguments.output} exists already: name a new file")


def proposal_text(report: StoredReport, proposal: Proposal, safety: float) -> str:
    """Return an ``accept`` section, with comments that say what it is from and what it is worth."""
    plain, labels = report.plain, report.plain["samples"]["label"]
    head = HEAD.format(
        path=report.path,
        started=plain["started"],
        model=_one_line(plain["model"]),
        dataset=_one_line(plain["dataset"]),
        category=_one_line(plain["category"]),
        defects=sum(labels),
        normals=len(labels) - sum(labels),
        safety=100 * safety,
        n=len(proposal.limits),
        risk=100 * risk_on_fresh_images(safety),
    )
    warning = "" if _notices_silence(proposal.limits) else SILENT
    lines = [*_section(proposal.limits), *_latency(report), *_leftovers(proposal)]
    return head + warning + "".join(f"{line}\n" for line in lines)


def risk_on_fresh_images(safety: float) -> float:
    """Return how often a fresh test set of the same size falls beyond a one-sided bound.

    The bound lies z standard errors from the value of the first set. Two sets of one size differ
    by sqrt(2) standard errors: what holds for the true value is broken more often by another set.
    """
    normal = NormalDist()
    return normal.cdf(-normal.inv_cdf(safety) / math.sqrt(2))


def _one_line(text: str) -> str:
    return " ".join(str(text).split())


def _notices_silence(limits: Sequence[ProposedLimit]) -> bool:
    from pytest_robustbench.gates.judgement import would_fail_a_silent_detector
    from pytest_robustbench.gates.limits import Limit

    return would_fail_a_silent_detector(
        Limit(limit.metric, limit.bound, float(limit.number), "") for limit in limits
    )


def _section(limits: Sequence[ProposedLimit]) -> Iterator[str]:
    """Write the limits scope by scope, as they are ordered."""
    yield "accept:"
    open_scope: tuple[str, ...] = ()
    for limit in limits:
        for depth, key in enumerate(limit.scope):
            if limit.scope[: depth + 1] != open_scope[: depth + 1]:
                yield f"{_indent(depth + 1)}{key}:"
        open_scope = limit.scope
        written = f"{limit.metric}: {{{limit.bound}: {limit.number:f}}}"
        where = f", under {limit.condition}" if limit.scope == ("all",) else ""
        yield f"{_indent(len(limit.scope) + 1)}{written}  # {limit.value:.3g}{where}"


def _indent(depth: int) -> str:
    return "  " * depth


def _latency(report: StoredReport) -> Iterator[str]:
    from pytest_robustbench.reports.compare.proposal import outwards, slowest

    found = slowest(report)
    if found is None:
        return
    condition, median = found
    ceiling = outwards(LATENCY_MARGIN * median, floor=False)
    yield f"# Under all, if this machine is the one that counts ({LATENCY_MARGIN:g} times the"
    yield f"# median of {median:.3g} ms under {condition}; another machine has other times):"
    yield f"#   latency_ms_per_image: {{max: {ceiling:f}}}"


def _leftovers(proposal: Proposal) -> Iterator[str]:
    for reason in proposal.omitted:
        yield f"# no limit on {_one_line(reason)}"
    if proposal.unjudged:
        yield f"measure_only: [{', '.join(proposal.unjudged)}]"
