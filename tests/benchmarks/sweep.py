"""The whole sweep against pyimgano's, the same model class on the same images."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from inputs import inputs, pictures
from peers import complaint, load
from table import Table

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.corruptions.catalogue import DEFAULT
from pytest_robustbench.datasets.subset import limit_split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_robustbench.datasets.split import Sample, Split

MODEL = "vision_pixel_mad_map"
REAL = "magnetic_tile"
AT_MODEL = [{name: {}, "at": "model"} for name in DEFAULT]
"""The peer corrupts what the model is given; so does ours where both are compared."""

SETTLE = 3  # times that ours runs around the peer's one run
EQUAL = ("pixel_segf1", "bg_fpr", "pixel_auroc", "pixel_average_precision")


def tables(quick: bool) -> list[Table]:
    """Return every table of this benchmark."""
    try:
        load("pyimgano.robustness.benchmark")
    except ImportError as error:
        return [Table("Whole sweep against pyimgano", ("what",), ((complaint(error),),))]
    n, size, severities = (8, 64, (3,)) if quick else (80, 256, (1, 2, 3, 4, 5))
    cases = [case(severities, n, size)]
    if not quick:
        # All 26 conditions would take the peer a quarter of an hour.
        cases.append(case((3,), 40, 1024))
    return [
        in_process(cases),
        equality(severities, n, size),
        whole_process(severities, n, size),
        breakdown(severities, n, size),
        first_and_last(n, size, rounds=1 if quick else 4),
    ]


class Case(NamedTuple):
    """What both are given."""

    name: str
    split: Split
    severities: tuple[int, ...]


def case(severities: tuple[int, ...], n: int, size: int) -> Case:
    """Return `n` test images of `size`: real ones where they are given, else drawn ones."""
    found = inputs(REAL, size, n_train=120, n_test_good=n, n_defect=n)
    split = limit_split(found.split, None if n >= 40 else 10, n)
    return Case(f"{found.origin}, {len(split.test)} x {size}x{size}", split, severities)


def model() -> object:
    from pyimgano.models import create_model

    return create_model(MODEL)


# ---- in one process ----------------------------------------------------------------------------


def in_process(cases: list[Case]) -> Table:
    rows = [row for each in cases for row in compared(each)]
    return Table(
        "Whole sweep in one process, from files to report",
        ("images", "conditions", "who", "seconds", "times faster"),
        tuple(rows),
        (f"Detector: pyimgano's `{MODEL}` for both. Ours is the median of {SETTLE} runs.",),
    )


def compared(each: Case) -> Iterator[tuple[object, ...]]:
    before = [seconds(lambda: ours(each)) for _ in range(SETTLE - 1)]
    theirs = seconds(lambda: peers(each, [*map(PeerCorruption, DEFAULT)]))
    mine = statistics.median([*before, seconds(lambda: ours(each))])
    n_conditions = 1 + len(DEFAULT) * len(each.severities)
    yield each.name, n_conditions, "pyimgano", theirs, 1.0
    yield each.name, n_conditions, "pytest-robustbench", mine, theirs / mine


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ours(each: Case) -> rb.Report:
    benchmark = rb.Benchmark(
        each.split, rb.as_detector(model()), corruptions=AT_MODEL, severities=each.severities
    )
    return benchmark.run()


def peers(each: Case, corruptions: list[PeerCorruption]) -> dict:
    from pyimgano.robustness.benchmark import run_robustness_benchmark

    train = [picture.image for picture in pictures(each.split, each.split.train)]
    test = pictures(each.split, each.split.test)
    return run_robustness_benchmark(
        model(),
        train_images=train,
        test_images=[picture.image for picture in test],
        test_labels=np.array([sample.label for sample in each.split.test]),
        test_masks=np.stack([picture.mask for picture in test]).astype(np.uint8),
        corruptions=corruptions,
        severities=each.severities,
    )


class PeerCorruption:
    """pyimgano's own corruption of that name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, image, mask, *, severity, rng):
        from pyimgano.robustness import corruptions

        apply = getattr(corruptions, f"apply_{self.name}")
        return apply(image, mask=mask, severity=severity, rng=rng)


# ---- equal inputs, equal numbers ---------------------------------------------------------------


class OurCorruption(PeerCorruption):
    """Ours, in pyimgano's form: it goes through the test images in order."""

    def __init__(self, name: str, samples: tuple[Sample, ...]) -> None:
        super().__init__(name)
        self._ids = [sample.id for sample in samples]
        self._calls = 0

    def __call__(self, image, mask, *, severity, **_):
        sample = self._ids[self._calls % len(self._ids)]
        self._calls += 1
        corrupted = rb.corrupt(
            image, mask.astype(bool), self.name, severity=severity, sample_id=sample
        )
        return corrupted.image, corrupted.mask.astype(np.uint8)


def equality(severities: tuple[int, ...], n: int, size: int) -> Table:
    # Without geo_jitter: pyimgano has no ignored pixels.
    names = [name for name in DEFAULT if name != "geo_jitter"]
    each = case(severities[:1], n, size)
    at_model = [one for one in AT_MODEL if "geo_jitter" not in one]
    benchmark = rb.Benchmark(
        each.split, rb.as_detector(model()), corruptions=at_model, severities=each.severities
    )
    mine = benchmark.run().to_dict()["robustness"]
    theirs = peers(each, [OurCorruption(name, each.split.test) for name in names])
    pairs = [("clean", mine["clean"], theirs["clean"])]
    for name in names:
        for key in mine["corruptions"][name]:
            both = (side["corruptions"][name][key] for side in (mine, theirs))
            pairs.append((f"{name}-{key}", *both))
    rows = tuple((name, *differences(*both)) for name, *both in pairs)
    columns = ("condition", "image auroc", "image AP", *EQUAL)
    return Table("Largest differences on equal inputs", columns, rows)


def differences(mine: dict, theirs: dict) -> list[float]:
    ours_, peers_ = mine["results"], theirs["results"]
    image = [(ours_[k], peers_[k]) for k in ("auroc", "average_precision")]
    pixel = [(ours_["pixel_metrics"][k], peers_["pixel_metrics"][k]) for k in EQUAL]
    return [abs(a - b) for a, b in (*image, *pixel)]


# ---- whole processes ---------------------------------------------------------------------------

YAML = """\
schema_version: 1
dataset: {{format: mvtec, root: "{root}", category: {category}, resize: [{size}, {size}]}}
detector: "line:model"
severities: {severities}
corruptions: {corruptions}
accept: {{all: {{bg_fpr: {{max: 0.99}}, one_sided: false_alarms}}}}
profiles: {{some: {{limit_train: {n_train}, limit_test: {n_test}}}}}
"""
LINE = f"""\
def model():
    from pyimgano.models import create_model

    return create_model("{MODEL}")
"""
SUITE = "from pytest_robustbench.suite import test_robustness\n"
"""What a user of pyimgano would write."""
SCRIPT = f'''\
import json
import sys

import cv2
import numpy as np
from pyimgano.models import create_model
from pyimgano.robustness import corruptions
from pyimgano.robustness.benchmark import run_robustness_benchmark

task = json.load(open(sys.argv[1]))
size = (task["size"], task["size"])


class Corruption:
    def __init__(self, name):
        self.name = name

    def __call__(self, image, mask, *, severity, rng):
        apply = getattr(corruptions, "apply_" + self.name)
        return apply(image, mask=mask, severity=severity, rng=rng)


def image(path):
    return cv2.cvtColor(cv2.resize(cv2.imread(path), size), cv2.COLOR_BGR2RGB)


def mask(path):
    if path is None:
        return np.zeros(size, np.uint8)
    return (cv2.resize(cv2.imread(path, 0), size) > 0).astype(np.uint8)


report = run_robustness_benchmark(
    create_model("{MODEL}"),
    train_images=[image(path) for path in task["train"]],
    test_images=[image(path) for path, _, _ in task["test"]],
    test_labels=np.array([label for _, label, _ in task["test"]]),
    test_masks=np.stack([mask(path) for _, _, path in task["test"]]),
    corruptions=[Corruption(name) for name in task["corruptions"]],
    severities=task["severities"],
)
json.dump(report, open(sys.argv[2], "w"), default=float)
'''


def whole_process(severities: tuple[int, ...], n: int, size: int) -> Table:
    title = "Whole processes, from `python` or `pytest` to the file on disk"
    folder = os.environ.get("ROBUSTBENCH_TEST_DATA")
    if not folder:
        return Table(title, ("what",), (("not measured: ROBUSTBENCH_TEST_DATA is not set",),))
    each = case(severities, n, size)
    with tempfile.TemporaryDirectory() as temporary:
        project = Path(temporary)
        write_project(project, Path(folder, "mvtec_layout"), each, size)
        script = [sys.executable, "peer.py", "task.json", "peer_report.json"]
        pytest = [
            sys.executable,
            "-m",
            "pytest",
            *("-q", "-m", "robustness", "--robustness-profile", "some"),
        ]
        before = process_seconds(pytest, project)
        theirs = process_seconds(script, project)
        mine = statistics.median([before, process_seconds(pytest, project)])
    rows = (
        ("python, pyimgano's run_robustness_benchmark", theirs, 1.0),
        ("pytest -m robustness", mine, theirs / mine),
    )
    return Table(title, ("process", "seconds", "times faster"), rows, (each.name,))


def write_project(project: Path, root: Path, each: Case, size: int) -> None:
    severities = list(each.severities)
    yaml = YAML.format(
        root=root,
        category=REAL,
        size=size,
        severities=severities,
        corruptions=json.dumps(AT_MODEL),
        n_train=len(each.split.train),
        n_test=len(each.split.test),
    )
    task = {
        "size": size,
        "severities": severities,
        "corruptions": list(DEFAULT),
        "train": [str(sample.image) for sample in each.split.train],
        "test": [
            (str(s.image), s.label, None if s.mask is None else str(s.mask))
            for s in each.split.test
        ],
    }
    (project / "robustness.yaml").write_text(yaml)
    (project / "line.py").write_text(LINE)
    (project / "test_robustness.py").write_text(SUITE)
    (project / "peer.py").write_text(SCRIPT)
    (project / "task.json").write_text(json.dumps(task))


def process_seconds(command: list[str], folder: Path) -> float:
    return seconds(
        lambda: subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    )


# ---- where the time goes -----------------------------------------------------------------------


def detectors() -> dict[str, Callable[[], object]]:
    from pytest_robustbench.detectors.loading import load_detector

    return {
        MODEL: lambda: rb.as_detector(model()),
        "patchcore": lambda: load_detector("patchcore"),
    }


def breakdown(severities: tuple[int, ...], n: int, size: int) -> Table:
    each = case(severities, n, size)
    rows = [(name, *shares(each, make())) for name, make in detectors().items()]
    columns = (
        "detector",
        "fit and calibrate, s",
        "conditions, s",
        "of it predict, s",
        "outside predict, % of conditions",
        "% of the whole",
    )
    return Table("Where the time of a sweep goes", columns, tuple(rows), (each.name,))


def shares(each: Case, detector: object) -> tuple[float, ...]:
    benchmark = rb.Benchmark(each.split, detector, severities=each.severities)
    latencies = []

    def measure() -> None:
        latencies.extend(benchmark.evaluate(c).latency for c in benchmark.conditions)

    preparing, measuring = seconds(benchmark.prepare), seconds(measure)
    calls = sum(sum(each.calls) * each.batch_size for each in latencies) / 1e3
    outside = 100 * (measuring - calls)
    return preparing, measuring, calls, outside / measuring, outside / (preparing + measuring)


def first_and_last(n: int, size: int, rounds: int) -> Table:
    each = case((3,), n, size)
    rows = []
    for name, make in detectors().items():
        medians = [clean_medians(each, make()) for _ in range(rounds)]
        first, last, again = map(statistics.median, zip(*medians, strict=True))
        drift = spread([after / before for before, after, _ in medians])
        noise = spread([once / after for _, after, once in medians])
        rows.append((name, first, last, again, drift, noise))
    columns = (
        "detector",
        "clean first, ms",
        "clean last, ms",
        "clean once more, ms",
        "last / first",
        "noise: once more / last",
    )
    notes = (each.name, f"Medians of {rounds} rounds, each with a new benchmark, and their range.")
    return Table("Latency of `clean`, measured first and last", columns, tuple(rows), notes)


def spread(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def clean_medians(each: Case, detector: object) -> list[float]:
    """Return the median latency of clean before all other conditions, after them, once more."""
    benchmark = rb.Benchmark(each.split, detector, severities=each.severities)
    order = [*benchmark.conditions, CLEAN, CLEAN]
    latencies = [(c, benchmark.evaluate(c).latency) for c in order]
    return [latency.median for condition, latency in latencies if condition == CLEAN]
