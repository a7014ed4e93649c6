"""``pytest-robustbench preview``: how the corruptions look on one's own images."""

from __future__ import annotations

from collections import Counter
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.cli import flags
from pytest_robustbench.cli.configuration import (
    add_yaml_flags,
    configuration,
    declared,
    without_places,
)
from pytest_robustbench.cli.files import check_writable
from pytest_robustbench.cli.telling import tell
from pytest_robustbench.errors import ConfigError
from pytest_robustbench.gates.limits import Demand
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_robustbench.config.declarations import BenchmarkDeclaration, RobustnessConfig
    from pytest_robustbench.datasets.split import Sample, Split
    from pytest_robustbench.reports.preview.sheet import Choice
    from pytest_robustbench.reports.preview.tiles import Sheet

FOLDER = "robustness-preview"
PAGE = "preview.html"
IMAGES = 2


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    flags.add_flags(parser, "data", "conditions")
    group = parser.add_argument_group("instead of flags")
    add_yaml_flags(group, "what a robustness.yaml runs")
    group.add_argument("--benchmark", metavar="NAME", help="one of the YAML's (default: all)")
    group = parser.add_argument_group("images")
    group.add_argument(
        "--images",
        nargs="+",
        metavar="ID",
        help="test images by their ids in reports, such as test/crack/001",
    )
    group.add_argument(
        "--n-images",
        type=int,
        metavar="N",
        help=f"so many, defect and normal in turn, the same ones every time (default: {IMAGES})",
    )
    group = parser.add_argument_group("output")
    group.add_argument(
        "--output-dir",
        type=Path,
        metavar="DIR",
        default=Path(FOLDER),
        help=f"preview.png and {PAGE} are written here (default: {FOLDER})",
    )
    group.add_argument(
        "--no-outline",
        dest="outline",
        action="store_false",
        help="draw no outline around defects",
    )


def run(arguments: Namespace) -> int:
    """Return the exit code."""
    _check(arguments)
    with without_places(arguments):
        config, name = configuration(arguments), arguments.benchmark
        named = config.benchmarks if name is None else [declared(config, name)]
        declarations = _with_corruptions(named)
        check_writable("--output-dir", arguments.output_dir, arguments.output_dir)
        choices = [_choice(arguments, config, declaration) for declaration in declarations]
        _write(choices, arguments.output_dir)
    return 0


def _check(arguments: Namespace) -> None:
    if arguments.benchmark is not None and arguments.config is None:
        raise ConfigError("--benchmark is one of the YAML's: name it with --config")
    if arguments.images is not None and arguments.n_images is not None:
        raise ConfigError("give --images or --n-images, not both")
    if arguments.n_images is not None and arguments.n_images < 1:
        raise ConfigError(f"--n-images must be at least 1, not {arguments.n_images}")


def _with_corruptions(
    declarations: Sequence[BenchmarkDeclaration],
) -> list[BenchmarkDeclaration]:
    bare = [one.name for one in declarations if not one.corruptions]
    if len(bare) == len(declarations):
        raise ConfigError(
            f"{', '.join(bare)}: no corruption is run, so that there is nothing to preview"
        )
    for name in bare:
        tell(f"{name}: left out: it runs no corruption")
    return [one for one in declarations if one.corruptions]


def _choice(
    arguments: Namespace, config: RobustnessConfig, declaration: BenchmarkDeclaration
) -> Choice:
    from pytest_robustbench.config.build import build_corruptions, build_split
    from pytest_robustbench.reports.preview.sheet import Choice

    loaded = build_corruptions(declaration, config.folder)
    split = build_split(declaration, config.folder)
    corruptions = {name: one.seen_by(split.response) for name, one in loaded.items()}
    for line in _too_few(declaration, split.test):
        tell(f"{declaration.name}: {line}")
    if arguments.images is None:
        samples = _examples(split.test, arguments.n_images or IMAGES)
    else:
        samples = _samples(declaration.name, split, arguments.images)
    return Choice(
        declaration.name,
        tuple(samples),
        split.resize,
        corruptions,
        tuple(c for c in declaration.conditions if c.is_corrupted),
        declaration.evaluation.seed,
        declaration.evaluation.image_budget,
        arguments.outline,
    )


def _too_few(declaration: BenchmarkDeclaration, test: Iterable[Sample]) -> Iterator[str]:
    """Return which limits the test set is too small to show."""
    from pytest_robustbench.gates.wording import plans

    parts = dict.fromkeys((sample.label, sample.group or sample.id) for sample in test)
    counts = Counter("defect" if label else "normal" for label, _ in parts)
    demand = declaration.demand or Demand()
    return plans(declaration.all_limits, counts, demand.confidence)


def _samples(name: str, split: Split, ids: Iterable[str]) -> list[Sample]:
    """Return the test samples that are asked for, each once."""
    known = {sample.id: sample for sample in split.test}
    for one in ids:
        if one not in known:
            raise ConfigError(
                f"{name}: no test image is called {one!r}; {_nearest(one, list(known))}"
            )
    return [known[one] for one in dict.fromkeys(ids)]


def _nearest(name: str, ids: Sequence[str]) -> str:
    from pytest_robustbench.naming import listed

    hint = suggestion(name, ids)
    # Of hundreds of images, a few show how they are called.
    return hint if hint.startswith("did you mean") else f"valid: {listed(sorted(ids))}"


def _examples(test: Iterable[Sample], n: int) -> list[Sample]:
    """Return `n` samples, defect and normal in turn; every kind of defect has its turn."""
    ordered = sorted(test, key=lambda sample: sample.id)
    defects = _in_turn([sample for sample in ordered if sample.label == 1])
    normals = [sample for sample in ordered if sample.label == 0]
    pairs = chain.from_iterable(zip_longest(defects, normals))
    return [sample for sample in pairs if sample is not None][:n]


def _in_turn(defects: Sequence[Sample]) -> list[Sample]:
    """Return `defects`: those with a mask first, of every kind the first one, then the second."""
    kinds: dict[tuple[bool, str], list[Sample]] = {}
    for sample in defects:
        kinds.setdefault((sample.mask_is_unknown, sample.defect_type), []).append(sample)
    places = {s.id: (k[0], place) for k, of in kinds.items() for place, s in enumerate(of)}
    return sorted(defects, key=lambda sample: places[sample.id])


def _write(choices: Sequence[Choice], folder: Path) -> None:
    from pytest_robustbench.reports.pages.extras import REPORT
    from pytest_robustbench.reports.preview.sheet import preview_sheet

    problem = REPORT.problem
    sections = []
    for choice in choices:
        sheet = preview_sheet(choice)
        name = "preview.png" if len(choices) == 1 else f"preview-{choice.name}.png"
        _write_sheet(sheet, folder / name)
        if not problem:
            from pytest_robustbench.reports.preview.page import preview_section

            sections.append(preview_section(sheet))
    if problem:
        tell(f"no {folder / PAGE}: {problem}")
    else:
        _write_page(sections, folder / PAGE)


def _write_sheet(sheet: Sheet, path: Path) -> None:
    from pytest_robustbench.reports.pages.drawing import png
    from pytest_robustbench.reports.preview.contact_sheet import contact_sheet

    try:
        path.write_bytes(png(contact_sheet(sheet)))
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from None
    tell(f"wrote {path}")


def _write_page(sections: Sequence[dict[str, object]], path: Path) -> None:
    from pytest_robustbench.reports.file.writing import write_atomically
    from pytest_robustbench.reports.preview.page import preview_page

    write_atomically(path, preview_page(sections))
    tell(f"wrote {path}")
