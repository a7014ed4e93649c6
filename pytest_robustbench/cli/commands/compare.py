"""``pytest-robustbench compare``: whether this model may replace that one."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.cli.configuration import (
    add_yaml_flags,
    declared,
    require_config_of_profile,
)
from pytest_robustbench.cli.files import reports_of
from pytest_robustbench.errors import ConfigError, ReportError
from pytest_robustbench.gates.soundness import ONE_SIDED, why_blind

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from pytest_robustbench.gates.regression.changes import AllowedChange
    from pytest_robustbench.gates.soundness import OneSided
    from pytest_robustbench.reports.compare.regression import Judged, Match
    from pytest_robustbench.reports.file.stored import StoredReport

PASS, REGRESSED, NOT_COMPARABLE, INCONCLUSIVE = range(4)
WORST_LAST = (PASS, INCONCLUSIVE, REGRESSED, NOT_COMPARABLE)
"""What cannot be compared comes before everything else."""
NO_MARGINS = (
    "{path}: nothing says how much may be lost: the baseline was measured without a regression "
    "section, and the candidate does not judge itself; "
    "give --config robustness.yaml, or --max-drop METRIC=NUMBER / --max-rise METRIC=NUMBER"
)
ONE_SIDED_FLAG = "give --one-sided {side}"


@dataclass(frozen=True)
class _Terms:
    """What is allowed, and how strict the comparison is."""

    allowed: tuple[AllowedChange, ...]
    min_overlap: float = 1.0
    strict_pixels: bool = False
    inconclusive_fails: bool = False
    one_sided: OneSided | None = None
    origin: str = ""
    left_out: tuple[str, ...] = ()


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("base", type=Path, help="report, or folder of reports, in production")
    parser.add_argument("candidate", type=Path, help="report, or folder of reports, of the new one")
    group = parser.add_argument_group(
        "margins (default: those that the baseline was measured with)"
    )
    add_yaml_flags(group, "regression sections of a YAML")
    for bound, what in (("drop", "fall"), ("rise", "rise")):
        group.add_argument(
            f"--max-{bound}",
            action="append",
            default=[],
            metavar="METRIC=NUMBER",
            help=f"largest acceptable {what}, such as 0.02, or 5%% of the baseline",
        )
    group.add_argument(
        "--one-sided",
        choices=tuple(ONE_SIDED.values()),
        help="what --max-drop and --max-rise are meant to see alone",
    )
    group = parser.add_argument_group("strictness")
    group.add_argument("--min-overlap", type=float, metavar="SHARE", help="of the test images")
    group.add_argument("--strict-pixels", action="store_true", help="refuse differing pixels")
    group.add_argument(
        "--strict", action="store_true", help="exit with 3 where the images cannot tell"
    )
    parser.add_argument("--format", choices=("table", "json", "markdown"), default="table")


def run(arguments: Namespace) -> int:
    """Return the exit code."""
    from pytest_robustbench.reports.compare.regression import judge_matches
    from pytest_robustbench.reports.file.stored import REMEDY, read_stored

    pairs = _report_pairs(arguments.base, arguments.candidate)
    candidates = [read_stored(candidate, REMEDY) for _, candidate in pairs]
    terms = [
        _terms(arguments, base, candidate)
        for (base, _), candidate in zip(pairs, candidates, strict=True)
    ]
    judged = judge_matches(
        [
            _match(base, candidate, term)
            for (base, _), candidate, term in zip(pairs, candidates, terms, strict=True)
        ]
    )
    judged = tuple(map(_with_margins, judged, terms))
    sys.stdout.write(_FORMATS[arguments.format](judged) + "\n")
    strict = [arguments.strict or term.inconclusive_fails for term in terms]
    return max(
        (_exit_code(one, strict=s) for one, s in zip(judged, strict, strict=True)),
        key=WORST_LAST.index,
    )


def _with_margins(judged: Judged, terms: _Terms) -> Judged:
    """Say where the margins come from, in every format."""
    left_out = f"; declared, and left out: {', '.join(terms.left_out)}" if terms.left_out else ""
    margins = f"margins: {terms.origin}{left_out}"
    return replace(judged, notes=(*judged.notes, margins))


def _report_pairs(base: Path, candidate: Path) -> list[tuple[Path, Path]]:
    """Return the files to compare; two folders are compared file by file, and none is left over."""
    if base.is_dir() != candidate.is_dir():
        raise ConfigError(f"{base} and {candidate}: compare two reports, or two folders of reports")
    if not base.is_dir():
        return [(base, candidate)]
    names = [{path.name for path in reports_of(folder)} for folder in (base, candidate)]
    if names[0] != names[1]:
        raise ConfigError(f"not in both folders: {', '.join(sorted(names[0] ^ names[1]))}")
    return [(base / name, candidate / name) for name in sorted(names[0])]


def _match(base: Path, candidate: StoredReport, terms: _Terms) -> Match:
    from pytest_robustbench.reports.compare.regression import Match
    from pytest_robustbench.reports.file.writing import same_file

    if not base.is_file():
        raise ConfigError(f"{base} does not exist")
    if same_file(base, candidate.path):
        raise ConfigError(
            f"{base} and {candidate.path} are one file, and a report equals itself: name another"
        )
    return Match(
        candidate.name,
        candidate.path,
        base,
        terms.allowed,
        min_overlap=terms.min_overlap,
        strict_pixels=terms.strict_pixels,
        one_sided=terms.one_sided,
    )


def _terms(arguments: Namespace, base: Path, candidate: StoredReport) -> _Terms:
    terms = _declared_terms(arguments, base, candidate)
    given = _given_changes(arguments)
    if given:
        metrics = {change.metric for change in given}
        left_out = tuple(c.metric for c in terms.allowed if c.metric not in metrics)
        flags = "--max-drop and --max-rise alone"
        meant = arguments.one_sided
        terms = replace(terms, allowed=given, one_sided=meant, origin=flags, left_out=left_out)
    elif arguments.one_sided:
        raise ConfigError("--one-sided is about --max-drop and --max-rise: give them, or drop it")
    if not terms.allowed:
        raise ConfigError(NO_MARGINS.format(path=base))
    blind = why_blind((change.row for change in terms.allowed), terms.one_sided, ONE_SIDED_FLAG)
    if blind:
        raise ConfigError(f"{terms.origin}: {blind}")
    if arguments.min_overlap is not None:
        terms = replace(terms, min_overlap=_share(arguments.min_overlap))
    return replace(terms, strict_pixels=terms.strict_pixels or arguments.strict_pixels)


def _share(value: float) -> float:
    if not 0 < value <= 1:
        raise ConfigError(f"--min-overlap must lie between 0 and 1, not {value:g}")
    return value


def _declared_terms(arguments: Namespace, base: Path, candidate: StoredReport) -> _Terms:
    """Return what the YAML declares, else what the baseline was measured with.

    The candidate's own report decides nothing: it would judge itself.
    """
    require_config_of_profile(arguments)
    if arguments.config is None:
        return _recorded_terms(base)
    from pytest_robustbench.config.loader import load_config

    config = load_config(arguments.config, profile=arguments.profile)
    regression = declared(config, candidate.name, candidate.path).regression
    if regression is None:
        return _Terms(())
    return _Terms(
        regression.allowed,
        regression.min_overlap,
        regression.strict_pixels,
        regression.inconclusive == "fail",
        regression.one_sided,
        f"those of {regression.source}",
    )


def _recorded_terms(base: Path) -> _Terms:
    from pytest_robustbench.gates.regression.changes import changes_from_record
    from pytest_robustbench.reports.file.stored import REMEDY, read_stored

    if not base.is_file():
        raise ConfigError(f"{base} does not exist")
    recorded = read_stored(base, REMEDY).plain["config"].get("regression")
    if not recorded:
        return _Terms(())
    allowed = changes_from_record(recorded, str(base))
    settings = (recorded.get("min_overlap", 1.0), recorded.get("strict_pixels", False))
    if not isinstance(settings[0], (int, float)) or not 0 < settings[0] <= 1:
        raise ReportError(f"{base}: config.regression.min_overlap is {settings[0]!r}, no share")
    if recorded.get("one_sided") not in (None, *ONE_SIDED.values()):
        raise ReportError(f"{base}: config.regression.one_sided is {recorded['one_sided']!r}")
    return _Terms(
        allowed,
        float(settings[0]),
        bool(settings[1]),
        recorded.get("inconclusive") == "fail",
        recorded.get("one_sided"),
        f"those that the baseline {base} was measured with",
    )


def _given_changes(arguments: Namespace) -> tuple[AllowedChange, ...]:
    drops = [_change("max_drop", text) for text in arguments.max_drop]
    found = (*drops, *(_change("max_rise", text) for text in arguments.max_rise))
    metrics = [change.metric for change in found]
    if len(set(metrics)) != len(metrics):
        raise ConfigError("a metric is given two margins")
    return found


def _change(bound: str, text: str) -> AllowedChange:
    from pytest_robustbench.gates.regression.changes import (
        AllowedChange,
        comparable_metrics,
        why_meaningless,
        worse,
    )
    from pytest_robustbench.naming import suggestion

    flag = f"--{bound.replace('_', '-')} {text}"
    metric, _, number = text.partition("=")
    if metric not in comparable_metrics():
        other = (
            "take auroc"
            if metric == "average_precision"
            else suggestion(metric, comparable_metrics())
        )
        raise ConfigError(f"{flag}: cannot compare {metric!r} image by image; {other}")
    right = worse(metric)
    if bound != right:
        message = f"{flag}: of {metric} less is {'worse' if right == 'max_drop' else 'better'}: "
        raise ConfigError(message + f"give --{right.replace('_', '-')}")
    value, relative = _number(flag, number)
    change = AllowedChange(metric, bound, value, relative, flag)
    why = why_meaningless(change)
    if why:
        raise ConfigError(f"{flag} {why}")
    return change


def _number(flag: str, text: str) -> tuple[float, bool]:
    relative = text.endswith("%")
    try:
        value = float(text.removesuffix("%")) / (100 if relative else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ConfigError(
            f"{flag}: expected METRIC=NUMBER such as pixel_segf1=0.02 or pixel_segf1=5%"
        )
    return value, relative


def _table(judged: Sequence[Judged]) -> str:
    from pytest_robustbench.reports.compare.regression import overall_outcome
    from pytest_robustbench.reports.pages.comparison_text import explanation, table

    tables = ["\n".join([*table(one), *explanation(one)]) for one in judged]
    # What a log shows last must not be a note: the exit code alone may not tell it from a pass.
    last = [f"{overall_outcome(judged).upper()}: {len(judged)} compared"]
    return "\n\n".join([*tables, *last])


def _json(judged: Sequence[Judged]) -> str:
    from pytest_robustbench.reports.compare.regression import overall_outcome
    from pytest_robustbench.reports.compare.regression_record import regression_record

    records = [{"benchmark": one.match.benchmark, **regression_record(one)} for one in judged]
    found = {"outcome": overall_outcome(judged), "comparisons": records}
    return json.dumps(found, indent=2, allow_nan=False)


def _markdown(judged: Sequence[Judged]) -> str:
    from pytest_robustbench.reports.pages.comparison_text import markdown

    return "\n".join(line for one in judged for line in markdown(one))


_FORMATS = {"table": _table, "json": _json, "markdown": _markdown}


def _exit_code(judged: Judged, *, strict: bool) -> int:
    """Return the exit code of one comparison."""
    codes = {
        "error": NOT_COMPARABLE,
        "regressed": REGRESSED,
        "inconclusive": INCONCLUSIVE if strict else PASS,
    }
    return codes.get(judged.outcome, PASS)
