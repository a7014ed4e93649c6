"""``pytest-robustbench accept``: make a report the baseline that the next ones are held against."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.cli.configuration import YAML_FILE, add_yaml_flags
from pytest_robustbench.cli.telling import answer
from pytest_robustbench.errors import ConfigError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from pytest_robustbench.reports.file.stored import StoredReport


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("report", type=Path, help="report of a complete run")
    parser.add_argument("--reason", required=True, help="why it may serve; kept in the baseline")
    parser.add_argument("--baseline", type=Path, metavar="FILE", help="the file to write")
    add_yaml_flags(
        parser,
        f"whose regression section names the file (default: {YAML_FILE})",
        "profile of the YAML (default: that of the report)",
    )
    parser.add_argument(
        "--smaller-on-purpose",
        action="store_true",
        help="let the baseline before have conditions or images that this report lacks",
    )


def run(arguments: Namespace) -> int:
    """Return the exit code."""
    from pytest_robustbench.reports.compare.acceptance import acceptance_of

    if not arguments.reason.strip():
        raise ConfigError("--reason is empty: say why this run may be the baseline")
    path = arguments.baseline or _declared_baseline(arguments)
    acceptance = acceptance_of(
        arguments.report, path, arguments.reason, smaller=arguments.smaller_on_purpose
    )
    for line in acceptance.changes:
        answer(line)
    sys.stdout.flush()
    acceptance.write()
    answer(f"baseline: {path} (commit it)")
    return 0


def _declared_baseline(arguments: Namespace) -> Path:
    from pytest_robustbench.config.loader import load_config
    from pytest_robustbench.config.matches import baseline_of
    from pytest_robustbench.reports.file.integrity import read_comparable

    config = arguments.config or YAML_FILE
    if not config.is_file():
        raise ConfigError(f"{config} does not exist: name the file to write with --baseline")
    report = read_comparable(arguments.report)
    name = report.name
    loaded = load_config(config, profile=_profile(arguments, report))
    declared = {b.name: b for b in loaded.benchmarks}
    if name not in declared:
        raise ConfigError(
            f"{config} declares no benchmark {name!r}, that of {arguments.report}: name the file "
            "to write with --baseline"
        )
    return baseline_of(declared[name], loaded.folder)


def _profile(arguments: Namespace, report: StoredReport) -> str | None:
    """Return the profile of the report: the baseline of another one is not for it."""
    ran: str | None = report.plain["profile"]
    if arguments.profile not in (None, ran):
        told = "no profile" if ran is None else f"profile {ran!r}"
        raise ConfigError(
            f"--profile {arguments.profile}: {arguments.report} was measured under {told}"
        )
    return ran
