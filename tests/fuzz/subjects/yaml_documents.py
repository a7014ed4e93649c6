"""robustness.yaml: what loads declares what is written, and whatever else is one message."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import yaml

from pytest_robustbench.config.loader import load_config
from pytest_robustbench.config.yaml.nodes import plain
from pytest_robustbench.config.yaml.reading import read_text, tree_of
from pytest_robustbench.config.yaml.scalars import scalar_of
from pytest_robustbench.errors import ConfigError
from tests.fuzz.mutation import mutated_bytes, mutated_plain, mutated_text
from tests.fuzz.subject import FoundError, Subject

DOCUMENTS = Path(__file__).parents[3] / "docs"
FENCED = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
SMALL = """\
schema_version: 1
x-limits: &strict {pixel_segf1: {min: 0.4}, bg_fpr: {max: 1.0e-2}}
dataset: {format: synthetic, category: woven_fabric, n_train: 20, resize: [64, 64]}
detector: {name: pixel_gaussian, kwargs: {smoothing: 2.0}}
seed: 0x1F
postprocess: {gaussian_sigma: 2}
operating_point: {pixel_threshold: 1.5, image_threshold: 2.5}
corruptions: [lighting, {blur: {severity_3: {sigma_px: 2}}}, {exposure: {ev: -0.3}, name: dim}]
severities: [1, 3]
accept:
  all: {<<: *strict, miss_rate: {max: 0.5}, false_reject_rate: {max: 0.5}}
  clean: {<<: *strict, auroc: {min: .5}}
  blur: {severity_3: {recall: {min: 0.1}}}
  summary: {mean_corruption_pixel_segf1: {min: 0.25}}
measure_only: [lighting-severity_3]
profiles:
  "pr": {severities: [3], limit_test: 20}
  nightly:
"""


def _write_valid(folder: Path) -> None:
    texts = [SMALL]
    for page in sorted(DOCUMENTS.glob("*.md")):
        texts += FENCED.findall(page.read_text(encoding="utf-8"))
    for number, text in enumerate(texts):
        path = folder / f"valid{number:02d}.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            _read(path, ())
        except ConfigError:  # a part of a file, or one that needs another beside it
            path.unlink()


def _damaged(rng: Random, valid: Sequence[bytes]) -> bytes:
    content = rng.choice(valid)
    way = rng.random()
    if way < 0.35:
        return mutated_bytes(rng, content, valid)
    if way < 0.65:
        return mutated_text(rng, content.decode()).encode()
    dates_as_text = json.loads(json.dumps(yaml.safe_load(content), default=str))
    changed = mutated_plain(rng, dates_as_text)
    text = json.dumps(changed) if way < 0.8 else _dumped(changed)
    return text.encode("utf-8", "surrogatepass")


def _dumped(value: Any) -> str:
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False)


def _read(path: Path, _: Sequence[bytes]) -> None:
    try:
        config = load_config(path, environ={})
    except ConfigError as error:
        _require_places(str(error), path)
        raise
    if not config.benchmarks:
        raise FoundError("it loads and declares no benchmark")
    json.dumps([benchmark.effective for benchmark in config.benchmarks], allow_nan=False)
    text = read_text(path)
    if not re.search(r"<<|!|%", text):  # PyYAML's plainest reader has no merge keys, and no tags
        found = plain(tree_of(text, path))
        if not _same(found, yaml.load(text, yaml.BaseLoader)):
            raise FoundError("it loads as something else than what PyYAML reads")
    _require_limits(yaml.safe_load(text), config.benchmarks)


def _require_places(message: str, path: Path) -> None:
    for line in message.split("\n"):
        if not re.search(rf"{re.escape(path.name)}:\d+:\d+: \S", line):
            raise FoundError(f"a line of the message has no place: {line[:200]!r}")


def _same(ours: Any, texts: Any) -> bool:
    """Tell whether our values are those that the texts of another reader spell."""
    if isinstance(ours, dict):
        kept = {k: v for k, v in _items(texts) if not str(k).startswith("x-")}
        return ours.keys() == kept.keys() and all(_same(ours[k], kept[k]) for k in ours)
    if isinstance(ours, tuple):
        return isinstance(texts, list) and len(ours) == len(texts) and all(map(_same, ours, texts))
    if ours is None:
        return texts in ("", "~", "null", "Null", "NULL")
    return isinstance(texts, str) and (ours == texts or ours == scalar_of(texts))


def _items(found: Any) -> list[tuple[Any, Any]]:
    return list(found.items()) if isinstance(found, dict) else []


def _require_limits(written: dict[str, Any], declared: Sequence[Any]) -> None:
    """Refuse that a metric which is written under `accept` is judged nowhere."""
    judged = {limit.metric for benchmark in declared for limit in benchmark.all_limits}
    sections = [written, *dict(_items(written.get("benchmarks"))).values()]
    accepts = [s["accept"] for s in sections if isinstance(s, dict) and s.get("accept")]
    named = {metric for accept in accepts for metric in _limited(accept)}
    lost = {metric for metric in named if not metric.startswith("x-")} - judged
    if lost:
        raise FoundError(f"limits that are written and not declared: {sorted(lost)}")


def _limited(section: Any) -> Iterator[str]:
    for name, inner in _items(section):
        if name == "tolerance":  # below it stand corruptions
            yield from (name for _ in _limited(inner))
        elif isinstance(inner, dict) and not inner.keys() <= {"min", "max", "max_drop", "max_rise"}:
            yield from _limited(inner)
        elif isinstance(inner, dict) and any(v is not None for v in inner.values()):
            yield str(name)


YAML = Subject("yaml", 5000, "robustness.yaml", _write_valid, _damaged, _read)
