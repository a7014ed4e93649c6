"""``pytest-robustbench spread``: how far training again moves what a regression limit judges.

The regression gate compares two fitted models. Whether two trainings of one recipe differ by as
much as the limit allows is another question, and this command answers it.
"""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_robustbench.cli.configuration import add_yaml_flags, declared
from pytest_robustbench.cli.files import put_out
from pytest_robustbench.cli.telling import tell
from pytest_robustbench.errors import ConfigError, DetectorError, NotMeasurableError
from pytest_robustbench.gates.regression.spread import FEWEST_REFITS, Spread

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_robustbench.cli.console import Console
    from pytest_robustbench.config.declarations import (
        BenchmarkDeclaration,
        DetectorDeclaration,
        RobustnessConfig,
    )
    from pytest_robustbench.datasets.split import Split
    from pytest_robustbench.detectors.protocol import Detector
    from pytest_robustbench.gates.regression.changes import AllowedChange

    Records = Mapping[str, Mapping[str, Any]]

SEED = "seed"
COLUMNS = ("mean", "std", "lowest", "highest", "allowed")
WIDE = "  <- more than half of what is allowed"
DETERMINISTIC = (
    "all refits gave identical outputs: this detector is deterministic, and training it again "
    "changes nothing (a spread of 0)"
)
NOTHING_VARIES = (
    "nothing was varied: the detector takes no seed, and it is calibrated on images of its own"
)


@dataclass(frozen=True)
class _Refits:
    """What every refit gave.

    Parameters
    ----------
    benchmark : str
        Its name.
    seeds : tuple of int
        One per refit.
    varied : tuple of str
        What the seed was given to.
    records : tuple of mapping
        Of every refit, condition id -> record.
    """

    benchmark: str
    seeds: tuple[int, ...]
    varied: tuple[str, ...]
    records: tuple[Records, ...]

    @property
    def are_identical(self) -> bool:
        """Whether every refit gave every image the same score and counts."""
        first, *others = [
            {condition: record["per_image"] for condition, record in records.items()}
            for records in self.records
        ]
        return all(other == first for other in others)

    def spreads(self, allowed: Sequence[AllowedChange]) -> Iterator[Spread]:
        """Yield a row per limit and condition."""
        from pytest_robustbench.reports.file.fields import metrics_of, undefined_of

        for change in allowed:
            for condition in self.records[0]:
                refits = [records[condition] for records in self.records]
                values = tuple(metrics_of(record)[change.metric] for record in refits)
                reasons = [undefined_of(record).get(change.metric, "") for record in refits]
                yield Spread(condition, change, values, next(filter(None, reasons), ""))


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    add_yaml_flags(parser, "whose margins are judged", required=True)
    parser.add_argument("--benchmark", metavar="NAME", help="where the YAML declares several")
    parser.add_argument(
        "--refits",
        type=int,
        default=FEWEST_REFITS,
        metavar="N",
        help=f"times to train, at least {FEWEST_REFITS} (default: {FEWEST_REFITS})",
    )
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the result here")


def run(arguments: Namespace) -> int:
    """Return the exit code."""
    from pytest_robustbench.config.loader import load_config

    if arguments.refits < FEWEST_REFITS:
        raise ConfigError(
            f"--refits {arguments.refits} say nothing about a spread: ask for {FEWEST_REFITS} at "
            "least"
        )
    config = load_config(arguments.config, profile=arguments.profile)
    declaration = _chosen(config, arguments.benchmark)
    allowed = _allowed(declaration)
    _check_output(arguments.output)
    with redirect_stdout(sys.stderr):  # what a detector prints must not stand in the result
        refits = _refit(config, declaration, arguments.refits)
    spreads = list(refits.spreads(allowed))
    for line in _warnings(refits, spreads):
        tell(line)
    as_text = _table if arguments.format == "table" else _json
    put_out(as_text(refits, spreads) + "\n", arguments.output, "spread")
    return 0


def _chosen(config: RobustnessConfig, name: str | None) -> BenchmarkDeclaration:
    if name is not None:
        return declared(config, name)
    names = [declaration.name for declaration in config.benchmarks]
    if len(names) > 1:
        raise ConfigError(f"{config.path} declares {', '.join(names)}: name one with --benchmark")
    return config.benchmarks[0]


def _allowed(declaration: BenchmarkDeclaration) -> tuple[AllowedChange, ...]:
    """Return the limits to hold the spread against; refuse what has none, or cannot be refitted."""
    if declaration.detector.fitted:
        raise ConfigError(
            f"{declaration.detector.source}: the detector is declared fitted, so there is nothing "
            "to train again; its spread is that of the training which made it"
        )
    declared = declaration.regression.allowed if declaration.regression else ()
    allowed = tuple(change for change in declared if not change.row.is_latency)
    if not allowed:
        raise ConfigError(
            f"{declaration.source}: no margin to hold the spread against; declare one under "
            "regression, such as miss_rate: {max_rise: 0.05} and false_reject_rate: {max_rise: "
            "0.05} (a latency is none of training)"
        )
    return allowed


def _check_output(path: Path | None) -> None:
    """Refuse now what would lose a long run."""
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise ConfigError(f"--output {path} cannot be written: name a file in a folder that exists")


def _refit(config: RobustnessConfig, declaration: BenchmarkDeclaration, n: int) -> _Refits:
    from pytest_robustbench.cli.console import Console
    from pytest_robustbench.config.build import build_split

    console = Console(sys.stderr)
    seeds = tuple(declaration.calibration.settings.seed + i for i in range(n))
    takes_seed = _takes_seed(declaration.detector, config.folder)
    split = build_split(declaration, config.folder)
    records = []
    for i, seed in enumerate(seeds):
        line = f"{declaration.name}: refit {i + 1} of {n}, seed {seed}"
        console.begin(line, len(declaration.conditions))
        seeded = _seeded(declaration, seed, offset=i if takes_seed else None)
        records.append(_measure(config, seeded, split, console))
        _require_same_pixels(records[0], records[-1])
    varied = ("calibration",) * (not split.calibration) + ("detector",) * takes_seed
    return _Refits(declaration.name, seeds, varied, tuple(records))


def _takes_seed(detector: DetectorDeclaration, folder: Path) -> bool:
    if SEED in detector.kwargs:
        return True
    try:
        _built(_with_seed(detector, 0), folder)
    except DetectorError:  # a detector that cannot be made at all says so when it is refitted
        return False
    return True


def _built(detector: DetectorDeclaration, folder: Path) -> Detector:
    from pytest_robustbench.config.build import build_detector

    return build_detector(detector, folder)


def _with_seed(detector: DetectorDeclaration, offset: int) -> DetectorDeclaration:
    declared = detector.kwargs.get(SEED)
    seed = (declared if isinstance(declared, int) else 0) + offset
    return replace(detector, kwargs={**detector.kwargs, SEED: seed})


def _seeded(
    declaration: BenchmarkDeclaration, seed: int, offset: int | None
) -> BenchmarkDeclaration:
    """Return the benchmark with other seeds of training; test images and pixels stay the same."""
    settings = replace(declaration.calibration.settings, seed=seed)
    detector = declaration.detector
    return replace(
        declaration,
        calibration=replace(declaration.calibration, settings=settings),
        detector=detector if offset is None else _with_seed(detector, offset),
    )


def _measure(
    config: RobustnessConfig, declaration: BenchmarkDeclaration, split: Split, console: Console
) -> Records:
    from pytest_robustbench.config.benchmarks import build_benchmark

    benchmark = build_benchmark(
        declaration,
        config.folder,
        split,
        _built(declaration.detector, config.folder),
        operating_point=None,
        progress=console.progress,
    )
    records: Records = benchmark.run().of_conditions
    for condition, record in records.items():
        if "error" in record:
            raise NotMeasurableError(f"{condition} could not be measured: {record['error']}")
    return records


def _require_same_pixels(first: Records, other: Records) -> None:
    for condition, record in first.items():
        if record["data_digest"] != other[condition]["data_digest"]:
            raise NotMeasurableError(
                f"the pixels of {condition} differ between two refits: its corruption does not "
                "follow its seed, and the spread would be its own"
            )


def _warnings(refits: _Refits, spreads: Sequence[Spread]) -> Iterator[str]:
    if refits.are_identical:
        yield DETERMINISTIC if refits.varied else NOTHING_VARIES
    for spread in spreads:
        where = f"{spread.condition}: {spread.change.metric}"
        if spread.mean is None:
            yield f"warning: {where} is not defined: {spread.reason}"
        elif spread.exceeds:
            yield (
                f"warning: {where} has a standard deviation of {spread.deviation:.3g} over "
                f"{len(spread.values)} refits, more than half of the allowed "
                f"{spread.allowed:.3g} ({spread.change.source}): a retrained model may be called "
                "regressed, or replace a better one, by chance"
            )


def _table(refits: _Refits, spreads: Sequence[Spread]) -> str:
    """Return a row per limit and condition."""
    names = [(spread.change.metric, spread.condition) for spread in spreads]
    widths = [max(map(len, column)) for column in zip(*names, ("metric", "condition"), strict=True)]
    head = _row(("metric", "condition"), COLUMNS, "", widths)
    rows = [
        _row(name, _cells(spread), WIDE if spread.exceeds else "", widths)
        for name, spread in zip(names, spreads, strict=True)
    ]
    varied = " and ".join(refits.varied) or "nothing"
    title = f"{refits.benchmark}: {len(refits.seeds)} refits; the seed varied {varied}"
    return "\n".join([title, head, *rows])


def _cells(spread: Spread) -> tuple[str, ...]:
    values = [spread.mean, spread.deviation, *_range(spread), spread.allowed]
    return tuple("-" if value is None else f"{value:.4g}" for value in values)


def _range(spread: Spread) -> tuple[float | None, float | None]:
    return (min(spread.numbers), max(spread.numbers)) if spread.numbers else (None, None)


def _row(names: Sequence[str], cells: Sequence[str], mark: str, widths: Sequence[int]) -> str:
    first = (name.ljust(width) for name, width in zip(names, widths, strict=True))
    return "  ".join([*first, *(cell.rjust(9) for cell in cells)]) + mark


def _json(refits: _Refits, spreads: Sequence[Spread]) -> str:
    plain = {
        "benchmark": refits.benchmark,
        "seeds": list(refits.seeds),
        "varied": list(refits.varied),
        "identical": refits.are_identical,
        "spreads": [_plain(spread) for spread in spreads],
    }
    return json.dumps(plain, indent=2, allow_nan=False)


def _plain(spread: Spread) -> dict[str, Any]:
    lowest, highest = _range(spread)
    return {
        "condition": spread.condition,
        "metric": spread.change.metric,
        spread.change.bound: spread.change.value,
        "relative": spread.change.relative,
        "source": spread.change.source,
        "values": list(spread.values),
        "mean": spread.mean,
        "std": spread.deviation,
        "lowest": lowest,
        "highest": highest,
        "allowed": spread.allowed,
        "exceeds": spread.exceeds,
        "reason": spread.reason,
    }
