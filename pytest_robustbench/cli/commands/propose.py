"""``pytest-robustbench propose``: limits to start from, for who has no idea what to declare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.cli.files import put_out
from pytest_robustbench.errors import ConfigError, ReportError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Sequence

    from pytest_robustbench.reports.compare.proposal import Proposal, ProposedLimit
    from pytest_robustbench.reports.file.record import Plain
    from pytest_robustbench.reports.file.stored import StoredReport

SAFETY = 0.95
LATENCY_MARGIN = 1.5
MOST_SAFETY = 0.999
HEAD = """\
# Limits for robustness.yaml, proposed from one run:
#   report {path}, {started}
#   model {model} on {dataset} {category}: {images}
#   behind each limit stands what was measured; it is rounded outwards
# They say "as good as this run", not "good enough": only you know what the line needs.
# On fresh test images of this kind, as many of as many parts, at the same thresholds, this model
# keeps {all} together with {safety:g} %: at most {risk:g} of 100 such test sets break any of them.
# With fewer images, or thresholds that are calibrated anew on other images, they break more often.
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("report", type=Path, help="report of a complete run")
    parser.add_argument(
        "--safety",
        type=float,
        default=SAFETY,
        metavar="SHARE",
        help="how often fresh test images of the same number keep all limits together, from 0.5 to "
        f"{MOST_SAFETY} (default: %(default)s)",
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
    if not 0.5 <= arguments.safety <= MOST_SAFETY:  # NaN included
        raise ConfigError(
            f"--safety must be at least 0.5 and at most {MOST_SAFETY}, not {arguments.safety:g}"
        )
    if arguments.output is not None and arguments.output.exists():
        raise ConfigError(f"--output {arguments.output} exists already: name a new file")


def proposal_text(report: StoredReport, proposal: Proposal, safety: float) -> str:
    """Return an ``accept`` section, with comments that say what it is from and what it is worth."""
    plain, n = report.plain, len(proposal.limits)
    head = HEAD.format(
        path=report.path,
        started=plain["started"],
        model=_one_line(plain["model"]),
        dataset=_one_line(plain["dataset"]),
        category=_one_line(plain["category"]),
        images=_images(report.plain["samples"]),
        all=f"all {n} limits" if n > 1 else "this limit",
        safety=100 * safety,
        risk=round(100 * (1 - safety), 6),
    )
    lines = [*_section(proposal.limits), *_latency(report), *_leftovers(proposal)]
    return head + "".join(f"{line}\n" for line in lines)


def _images(samples: Plain) -> str:
    """Return how many images of how many parts there are, by label."""
    from pytest_robustbench.gates.wording import counted

    groups: dict[int, list[str]] = {1: [], 0: []}
    for label, id_, group in zip(*(samples[k] for k in ("label", "id", "group")), strict=True):
        groups[label].append(f"image {id_}" if group is None else f"part {group}")
    told = zip(("defect", "normal"), groups.values(), strict=True)
    return " and ".join(counted(len(names), kind, len(set(names))) for kind, names in told)


def _one_line(text: str) -> str:
    return " ".join(str(text).split())


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
