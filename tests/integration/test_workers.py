"""Workers and shards on real images with a real detector: the numbers of one process."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

pytest.importorskip("torch")

TIMED = ("latency", "memory", "started", "command", "rerun", "content_sha256")
YAML = """\
schema_version: 1
name: hazelnut
dataset:
  format: mvtec
  root: '{root}'
  category: hazelnut_toy
  resize: [256, 256]
limit_train: 12
limit_test: 6
detector: {{name: patchcore, preset: industrial-fast, device: cpu}}
accept:
  all: {{miss_rate: {{max: 0.99}}, latency_relative: {{max: 1000000}}, one_sided: misses}}
  summary: {{mean_corruption_pixel_segf1: {{min: 0.001}}}}
"""


def untimed(plain: Any) -> Any:
    if isinstance(plain, dict):
        kept = {k: v for k, v in plain.items() if not any(t in k for t in TIMED)}
        return {k: untimed(v) for k, v in kept.items()}
    if isinstance(plain, list):
        return [untimed(v) for v in plain if not _is_timed(v)]
    return plain


def _is_timed(value: Any) -> bool:
    return isinstance(value, dict) and "latency" in str(value.get("metric", ""))


@pytest.fixture
def line(pytester: pytest.Pytester, test_data, monkeypatch: pytest.MonkeyPatch):
    # One thread everywhere: how a matrix product is cut among threads may change its last digits.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (pytester.path / "robustness.yaml").write_text(YAML.format(root=test_data / "mvtec_layout"))
    pytester.makepyfile(test_line="from pytest_robustbench.suite import test_robustness")
    return pytester


def run(line: pytest.Pytester, folder: str, *options: str) -> dict[str, Any]:
    options = ("-p", "no:randomly", f"--robustness-report-dir={folder}", *options)
    result = line.runpytest_subprocess(*options)
    assert result.ret == 0, result.stdout.str()
    return json.loads((line.path / folder / "hazelnut.json").read_text())


def test_workers_and_shards_find_what_one_process_finds(line: pytest.Pytester) -> None:
    alone = untimed(run(line, "alone"))
    assert alone["complete"] is True

    together = run(line, "together", "-n", "2")
    assert untimed(together) == alone
    found = (line.path / "together" / "journal").glob("*/gw*.jsonl")
    entries = [json.loads(t) for path in found for t in path.read_text().splitlines() if t]
    assert sum(e["fitted"] for e in entries if e["kind"] == "benchmark") == 1
    conditions = [e["condition"] for e in entries if e["kind"] == "condition"]
    assert (len(conditions), len(set(conditions))) == (26, 26)

    for number in (1, 2):
        run(line, f"shards/{number}", f"--robustness-shard={number}/2")
    script = "import sys; from pytest_robustbench.cli.main import main; sys.exit(main())"
    merged = line.run(sys.executable, "-c", script, "merge", "shards", "--output-dir", "merged")
    assert merged.ret == 0, merged.stderr.str()
    assert untimed(json.loads((line.path / "merged" / "hazelnut.json").read_text())) == alone
