"""``pytest-robustbench run``: the benchmark without pytest, by flags or by a YAML."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench import opencv
from pytest_robustbench.cli import flags
from pytest_robustbench.cli.configuration import (
    add_yaml_flags,
    configuration,
    parse_flags,
    without_places,
)
from pytest_robustbench.cli.files import check_writable
from pytest_robustbench.cli.outcomes import BenchmarkOutcome, tried
from pytest_robustbench.cli.pages import (
    add_html_flag,
    forget_older,
    write_pages_of,
)
from pytest_robustbench.cli.session import write_session_of
from pytest_robustbench.cli.telling import tell
from pytest_robustbench.errors import ConfigError
from pytest_robustbench.reports.file.earlier import forget, forget_session

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Sequence

    from pytest_robustbench.benchmark import Benchmark
    from pytest_robustbench.cli.console import Console
    from pytest_robustbench.config.declarations import BenchmarkDeclaration, RobustnessConfig
    from pytest_robustbench.evaluation.results import ConditionResult
    from pytest_robustbench.reports.file.report import Report


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    flags.add_flags(parser, *flags.FLAGS)
    group = parser.add_argument_group("instead of flags")
    add_yaml_flags(group, "run a robustness.yaml")
    group.add_argument(
        "--without-baseline",
        action="store_true",
        help="compare with no baseline: for the run that is to become the first one",
    )
    group = parser.add_argument_group("output")
    group.add_argument("--output", type=Path, metavar="FILE", help="write the report here")
    group.add_argument(
        "--output-dir", type=Path, metavar="DIR", help="write one report per benchmark here"
    )
    add_html_flag(group)
    group.add_argument(
        "--emit-config",
        action="store_true",
        help="print the robustness.yaml that the flags mean, and run nothing",
    )
    group.add_argument("--list-models", action="store_true", help="print the names of detectors")
    group.add_argument("--json", action="store_true", help="with --list-models: as JSON")


def run(arguments: Namespace) -> int:
    """Return the exit code."""
    if arguments.list_models:
        return _list_models(as_json=arguments.json)
    if arguments.json:
        raise ConfigError("--json belongs to --list-models; a report is always JSON")
    with without_places(arguments):
        return _emit(arguments) if arguments.emit_config else _measure_all(arguments)


def _measure_all(arguments: Namespace) -> int:
    if arguments.output_dir is not None:
        forget_session(arguments.output_dir)
    config = configuration(arguments)
    _check_outputs(arguments, config)
    for declaration in config.benchmarks:
        path = _output(arguments, declaration.name)
        if path is not None:
            forget(path)
    if arguments.output_dir is not None:
        forget_older(arguments.output_dir, [b.name for b in config.benchmarks])
    alone = len(config.benchmarks) == 1
    measured = [
        tried(declaration.name, partial(_measure, arguments, config, declaration), alone=alone)
        for declaration in config.benchmarks
    ]
    try:
        measured = _compare(arguments, config, measured)
    finally:  # a comparison that goes wrong loses no report
        if arguments.output is None and arguments.output_dir is None:
            _print(measured)
    code = max(one.code for one in measured)
    if arguments.output_dir is not None:
        write_pages_of(measured, arguments.output_dir, html=arguments.html)
        write_session_of(config.benchmarks, measured, arguments.output_dir, code)
    if told := opencv.shared():
        sys.stderr.write(f"note: {told}\n")
    _say_inconclusive(measured)
    return code


def _say_inconclusive(measured: Sequence[BenchmarkOutcome]) -> None:
    """Let the last line say what the exit code may not."""
    for one in measured:
        compared = one.report.regression if one.report is not None else ()
        if "inconclusive" in {record["outcome"] for record in compared}:
            tell(f"{one.name}: INCONCLUSIVE: the test images cannot tell whether it is worse")


def _list_models(*, as_json: bool) -> int:
    from pytest_robustbench.detectors.families import model_names

    names = model_names()
    text = json.dumps({"models": names}, indent=2) if as_json else "\n".join(names)
    sys.stdout.write(text + "\n")
    return 0


def _emit(arguments: Namespace) -> int:
    from pytest_robustbench.cli.yaml_text import flags_as_yaml

    if arguments.config is not None:
        raise ConfigError("--emit-config writes the YAML of flags; --config is one already")
    text = flags_as_yaml(flags.config_of(arguments))
    parse_flags(text)
    sys.stdout.write(text)
    return 0


def _check_outputs(arguments: Namespace, config: RobustnessConfig) -> None:
    """Refuse now what would lose the report of a long run."""
    if arguments.output is not None and arguments.output_dir is not None:
        raise ConfigError("give --output or --output-dir, not both")
    if len(config.benchmarks) > 1 and arguments.output_dir is None:
        names = ", ".join(b.name for b in config.benchmarks)
        message = f"{len(config.benchmarks)} benchmarks ({names}) do not go into one file: "
        raise ConfigError(message + "give --output-dir")
    for flag, path in (("--output", arguments.output), ("--output-dir", arguments.output_dir)):
        if path is not None:
            check_writable(flag, path, path if flag == "--output-dir" else path.parent)
    for declaration in config.benchmarks:
        if declaration.regression is not None:
            _check_baseline(arguments, config, declaration)


def _check_baseline(
    arguments: Namespace, config: RobustnessConfig, declaration: BenchmarkDeclaration
) -> None:
    """Refuse now what could not be compared later, or would be compared with itself."""
    from pytest_robustbench.config.matches import require_apart, stored_reports
    from pytest_robustbench.reports.compare.regression import absence

    output = _output(arguments, declaration.name)
    if output is not None:
        require_apart(declaration, config.folder, output)
    if arguments.without_baseline:
        return
    for role, path in stored_reports(declaration, config.folder).items():
        if not path.is_file():
            hint = "" if role == "anchor" else "; to measure it: `run --without-baseline`"
            raise ConfigError(f"{declaration.name}: {absence(role, path)}{hint}")


def _output(arguments: Namespace, name: str) -> Path | None:
    """Return where the report of a benchmark goes; ``None`` where it is printed."""
    if arguments.output_dir is not None:
        return Path(arguments.output_dir, f"{name}.json")
    output: Path | None = arguments.output
    return output


def _measure(
    arguments: Namespace, config: RobustnessConfig, declaration: BenchmarkDeclaration
) -> BenchmarkOutcome:
    from pytest_robustbench.cli.console import Console

    console = Console(sys.stderr)
    conditions = len(declaration.conditions)
    console.begin(f"{declaration.name}: {conditions} conditions", conditions)
    # What a detector prints must not stand before the report.
    with redirect_stdout(sys.stderr):
        keep = _keeper(arguments, declaration)
        benchmark = _benchmark(config, declaration, console, exhibits=keep is not None)
        report = benchmark.run(on_result=keep)
    console.tell(report)
    _write(arguments, report)
    return BenchmarkOutcome.of(report)


def _keeper(
    arguments: Namespace, declaration: BenchmarkDeclaration
) -> Callable[[ConditionResult], None] | None:
    """Return what keeps the pictures of a result, where there is going to be a page."""
    if arguments.output_dir is None or not arguments.html:
        return None
    from pytest_robustbench.reports.pages.thumbnails import Thumbnails, thumbnails_of

    thumbnails = Thumbnails(arguments.output_dir / f"{declaration.name}.json")

    def keep(result: ConditionResult) -> None:
        with suppress(OSError):  # the page says itself that a picture is missing
            thumbnails.write(thumbnails_of(result))

    return keep


def _compare(
    arguments: Namespace, config: RobustnessConfig, measured: Sequence[BenchmarkOutcome]
) -> list[BenchmarkOutcome]:
    """Hold the reports against their baselines, and write them again with what came of it."""
    if arguments.without_baseline:
        _say_unjudged(config)
        return list(measured)
    from pytest_robustbench.cli.baselines import with_comparisons

    reports = [m.report for m in measured if m.report is not None]
    compared = with_comparisons([config], measured, reports)
    for one in compared:
        if one.report is not None and one.report.regression:
            _write(arguments, one.report)
    return compared


def _say_unjudged(config: RobustnessConfig) -> None:
    for declaration in config.benchmarks:
        if declaration.regression is not None:
            tell(f"{declaration.name}: regression: not judged (--without-baseline)")


def _benchmark(
    config: RobustnessConfig,
    declaration: BenchmarkDeclaration,
    console: Console,
    *,
    exhibits: bool,
) -> Benchmark:
    from pytest_robustbench.config.benchmarks import build_benchmark
    from pytest_robustbench.config.build import build_detector, build_split

    # The detector first: that it cannot run here is known before any image is looked for.
    detector = build_detector(declaration.detector, config.folder)
    split = build_split(declaration, config.folder)
    return build_benchmark(
        declaration,
        config.folder,
        split,
        detector,
        operating_point=None,
        progress=console.progress,
        exhibits=exhibits,
    )


def _write(arguments: Namespace, report: Report) -> None:
    """Write the report where the flags say; without them it is printed when all is known."""
    path = _output(arguments, report.header.name)
    if path is not None:
        report.write(path)
        tell(f"report: {path}")


def _print(measured: Sequence[BenchmarkOutcome]) -> None:
    from pytest_robustbench.plain_json import dumps

    for one in measured:
        if one.report is not None:
            sys.stdout.write(dumps(one.report.to_dict()))
