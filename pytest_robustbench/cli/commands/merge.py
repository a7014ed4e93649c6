"""``pytest-robustbench merge``: the reports of shards to one report, judged like a whole run."""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.cli.configuration import YAML_FILE, add_yaml_flags, declared
from pytest_robustbench.cli.files import check_writable
from pytest_robustbench.cli.outcomes import FAILED, BenchmarkOutcome, tried
from pytest_robustbench.cli.pages import add_html_flag, forget_older, write_pages_of
from pytest_robustbench.cli.session import write_session_of
from pytest_robustbench.cli.telling import tell
from pytest_robustbench.errors import ConfigError, ReportError
from pytest_robustbench.reports.file.earlier import forget_session

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_robustbench.config.declarations import BenchmarkDeclaration, RobustnessConfig
    from pytest_robustbench.reports.file.model import Header
    from pytest_robustbench.reports.file.report import Report
    from pytest_robustbench.reports.merge.merging import Part


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "reports",
        nargs="+",
        type=Path,
        metavar="REPORT",
        help="report of a shard, journal of a run that died, or folder that holds some",
    )
    parser.add_argument(
        "--output-dir",
        required=True,
        type=Path,
        metavar="DIR",
        help="write one report per benchmark here",
    )
    add_yaml_flags(parser, f"what the shards ran (default: {YAML_FILE})")
    add_html_flag(parser)


def run(arguments: Namespace) -> int:
    """Return the exit code."""
    from pytest_robustbench.cli.baselines import with_comparisons

    forget_session(arguments.output_dir)
    config = _config(arguments)
    parts = _parts(arguments.reports)
    configs = list(_configs(config, dict.fromkeys(p[0].header.place or "" for p in parts.values())))
    benchmarks = [(b, one) for one in configs for b in one.benchmarks]
    _check_declared(configs, parts)
    _check_inputs_stay(arguments.output_dir, parts)
    for one in configs:
        _check_baselines_stay(arguments.output_dir, one)
    check_writable("--output-dir", arguments.output_dir, arguments.output_dir)
    forget_older(arguments.output_dir, parts)
    alone = len(benchmarks) == 1
    merged = [
        tried(b.key, partial(_merge, of, b, parts.get(b.key, ())), alone=alone)
        for b, of in benchmarks
    ]
    whole = [m.report for m in merged if m.report is not None and m.report.complete]
    try:
        merged = with_comparisons(configs, merged, whole)
    finally:  # a comparison that goes wrong loses no report
        _write(arguments.output_dir, merged)
    _adopt_pictures(arguments.output_dir, parts)
    code = max(one.code for one in merged)
    write_pages_of(merged, arguments.output_dir, html=arguments.html)
    write_session_of([b for b, _ in benchmarks], merged, arguments.output_dir, code)
    return code


def _write(folder: Path, merged: Sequence[BenchmarkOutcome]) -> None:
    for one in merged:
        if one.report is not None:
            path = folder / f"{one.name}.json"
            one.report.write(path)
            tell(f"report: {path}")


def _adopt_pictures(folder: Path, parts: Mapping[str, Sequence[Part]]) -> None:
    """Let the page show what the shards have kept; it says so where a picture is missing."""
    from pytest_robustbench.reports.pages.thumbnails import Thumbnails

    for name, of_benchmark in parts.items():
        for part in of_benchmark:
            with suppress(OSError):
                Thumbnails(folder / f"{name}.json").adopt(Thumbnails(_report_of(part)))


def _report_of(part: Part) -> Path:
    """Return where the report of a part stands, or would: journals lie two folders below it."""
    from pytest_robustbench.reports.file.journal import SUFFIX

    path = Path(part.source)
    is_journal = path.suffix == SUFFIX and len(path.parents) > 2
    return path.parents[2] / f"{part.header.name}.json" if is_journal else path


def _config(arguments: Namespace) -> RobustnessConfig:
    from pytest_robustbench.config.loader import load_config

    path = arguments.config or YAML_FILE
    if arguments.config is None and not path.is_file():
        raise ConfigError(
            f"{path} does not exist: name the YAML that the shards ran with --config; it says "
            "which conditions there are, and their limits"
        )
    return load_config(path, profile=arguments.profile)


def _configs(config: RobustnessConfig, places: Iterable[str]) -> Iterator[RobustnessConfig]:
    """Yield the YAML that was named, and those of the other places that the shards were of.

    It is the one whose folder a place is called as; else that of the reports which have no place.

    Raises
    ------
    ConfigError
        If another one does not lie where it did for the shards.
    """
    from pytest_robustbench.config.loader import load_config

    known = sorted(places, key=len, reverse=True)
    parts = {place: Path(place).parts for place in known}
    n = len(config.folder.parts)
    moved = known[0] if len(known) == 1 and not (config.folder / known[0]).is_dir() else ""
    named = next((p for p in known if config.folder.parts[n - len(parts[p]) :] == parts[p]), moved)
    root = Path(*config.folder.parts[: n - len(Path(named).parts)])
    yield _at(config, named)
    for place in known:
        if place == named:
            continue
        path = root / place / YAML_FILE
        if not path.is_file():
            raise ConfigError(
                f"the shards ran the YAML of {place or 'their first folder'} as well, and {path} "
                "does not exist: name the other reports alone, and merge these by themselves"
            )
        yield _at(load_config(path, profile=config.profile), place)


def _at(config: RobustnessConfig, place: str) -> RobustnessConfig:
    return replace(config, benchmarks=tuple(replace(b, place=place) for b in config.benchmarks))


def _check_declared(
    configs: Sequence[RobustnessConfig], parts: Mapping[str, Sequence[Part]]
) -> None:
    """Refuse reports of what their YAML does not declare."""
    places = {one.benchmarks[0].place: one for one in configs}
    for of_benchmark in parts.values():
        first = of_benchmark[0]
        declared(places[first.header.place or ""], first.header.name, first.source)


def _parts(places: Sequence[Path]) -> dict[str, list[Part]]:
    """Read every report; return them by the key of their benchmark."""
    from pytest_robustbench.reports.merge.parts import find_reports, read_parts

    found: dict[str, list[Part]] = {}
    for path in find_reports(places):
        for part in read_parts(path):
            found.setdefault(part.header.key, []).append(part)
    if not found:
        raise ReportError(
            f"no report among {', '.join(map(str, places))}: name those of the shards"
        )
    return found


def _check_inputs_stay(folder: Path, parts: Mapping[str, Sequence[Part]]) -> None:
    """Refuse to replace what is merged: it could not be merged again."""
    inputs = {Path(part.source).resolve(): part for found in parts.values() for part in found}
    for name in parts:
        path = folder / f"{name}.json"
        if path.resolve() in inputs:
            raise ConfigError(f"{path} is one of the reports to merge: name another --output-dir")


def _check_baselines_stay(folder: Path, config: RobustnessConfig) -> None:
    from pytest_robustbench.config.matches import require_apart

    for declaration in config.benchmarks:
        require_apart(declaration, config.folder, folder / f"{declaration.key}.json")


def _merge(
    config: RobustnessConfig, declaration: BenchmarkDeclaration, parts: Sequence[Part]
) -> BenchmarkOutcome:
    from pytest_robustbench.benchmark import judged_report
    from pytest_robustbench.cli.console import Console
    from pytest_robustbench.config.benchmarks import gate_of
    from pytest_robustbench.reports.merge.merging import merge_parts

    if not parts:
        why = "missing: none of the reports is of it; run its shards"
        tell(f"{declaration.key}: {why}")
        return BenchmarkOutcome(declaration.key, FAILED, why=why)
    header, records = merge_parts(parts, command=shlex.join(sys.argv))
    _check_same_yaml(config, declaration, header)
    report = judged_report(header, declaration.declared_conditions, records, gate_of(declaration))
    console = Console(sys.stderr)
    n, total = len(report.records), len(report.declared)
    console.say(f"{declaration.key}: {n} of {total} conditions, from {len(parts)} report(s)")
    console.tell(report)
    for line in _unjudged(declaration, report):
        console.say(line)
    return BenchmarkOutcome.of(report)


def _check_same_yaml(
    config: RobustnessConfig, declaration: BenchmarkDeclaration, header: Header
) -> None:
    """Refuse limits and conditions that the parts were not measured for."""
    from pytest_robustbench.config.yaml.problems import shown_path
    from pytest_robustbench.plain_json import sha256_of
    from pytest_robustbench.reports.merge.differences import differences_between

    declared = json.loads(json.dumps(declaration.effective))
    if header.sha256.config == sha256_of(declared):
        return
    found = differences_between(declared, header.config) or "another digest"
    raise ReportError(
        f"{shown_path(config.path)} differs from the one the shards of {declaration.name!r} ran: "
        f"{found}; {_profile_remedy(config.profile, header.profile)}merge with the YAML that they "
        "ran, or run them again with this one"
    )


def _profile_remedy(given: str | None, ran: str | None) -> str:
    if given == ran:
        return ""
    flag = f"give --profile {ran}" if ran else "leave out --profile"
    return f"they ran {f'profile {ran!r}' if ran else 'no profile'}: {flag}, "


def _unjudged(declaration: BenchmarkDeclaration, report: Report) -> Iterator[str]:
    """Say which conditions no part has, and what cannot be judged for want of them."""
    absent = [c for c in report.missing if c not in report.records]
    if absent:
        yield f"missing: {', '.join(absent)}"
        if declaration.summary_limits:
            yield f"summary: not judged: {_count(absent, report)} are missing"
    if report.missing and declaration.regression is not None:
        yield f"regression: not judged: {_count(report.missing, report)} were not measured"


def _count(conditions: Sequence[str], report: Report) -> str:
    return f"{len(conditions)} of {len(report.declared)} conditions"
