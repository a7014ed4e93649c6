"""Numbers of a robustness.yaml that loads: they are measured with, or refused in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import yaml

from pytest_robustbench.benchmark import judged_report
from pytest_robustbench.config.benchmarks import build_benchmark
from pytest_robustbench.config.build import build_detector, build_split
from pytest_robustbench.config.loader import load_config
from pytest_robustbench.reports.file.record import condition_record
from tests.fuzz.subject import Subject

SMALL = """\
schema_version: 1
dataset:
  {format: synthetic, category: woven_fabric, n_train: 6, n_test_good: 2, n_defect: 2, size: 32,
   seed: 1, resize: [16, 24]}
detector: {name: pixel_gaussian, kwargs: {smoothing: 2.0}}
seed: 3
batch_size: 2
aupro_limit: 0.3
memory_budget: 10000000
postprocess: {gaussian_sigma: 1.5}
calibration:
  {pixel_normal_quantile: 0.99, image_normal_quantile: 0.9, method: crossfit, fraction: 0.3,
   folds: 2, seed: 0}
corruptions: [CORRUPTION]
severities: [3]
limit_train: 5
limit_test: 4
accept: {all: {bg_fpr: {max: 0.5}, latency_ms_per_image: {max: 1000.0}, one_sided: false_alarms}}
"""
CORRUPTIONS = (
    *("{blur: {severity_3: {sigma_px: 2}}}", "{jpeg: {quality: 80}}"),
    *("lighting", "glare", "geo_jitter"),
)
NUMBERS = (
    *(0, 1, 2, 3, 7, 100, 1000, 32767, 2**31 - 1, 2**31, 2**63, 10**30, -1, 1e-300, 1e-9, 1e-3),
    *(0.5, 0.999999999, 1.0, 1.5, 50.0, 1e4, 1e9, 1e30, 1e300),
)


def _write_valid(folder: Path) -> None:
    for number, corruption in enumerate(CORRUPTIONS):
        text = SMALL.replace("CORRUPTION", corruption)
        (folder / f"valid{number}.yaml").write_text(text, "utf-8")


def _damaged(rng: Random, valid: Sequence[bytes]) -> bytes:
    plain = yaml.safe_load(rng.choice(valid))
    for _ in range(rng.choice((1, 1, 2))):
        holder, key = rng.choice([*_numbers(plain)])
        holder[key] = rng.choice(NUMBERS)
    return yaml.safe_dump(plain).encode()


def _numbers(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = value if isinstance(value, dict) else range(len(value))
    for key in keys:
        if isinstance(value[key], (dict, list)):
            yield from _numbers(value[key])
        elif not isinstance(value[key], str) and key != "schema_version":
            yield value, key


def _read(path: Path, _: Sequence[bytes]) -> None:
    (declared,) = load_config(path, environ={}).benchmarks
    benchmark = build_benchmark(
        declared,
        path.parent,
        build_split(declared, path.parent),
        build_detector(declared.detector, path.parent),
        operating_point=None,
        progress=lambda *_: None,
    )
    results = [benchmark.evaluate(condition) for condition in benchmark.conditions]
    records = {result.condition.id: condition_record(result) for result in results}
    judged_report(benchmark.header(), benchmark.conditions, records, benchmark.gate).to_dict()


RUNS = Subject("runs", 300, "robustness.yaml", _write_valid, _damaged, _read, tells_file=False)
