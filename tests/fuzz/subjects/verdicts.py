"""What a run has left, as ``pytest-robustbench verdict`` reads it: damaged, it is no pass."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from pytest_robustbench.cli.main import main
from pytest_robustbench.errors import ReportError
from tests.fuzz.subject import FoundError, Subject
from tests.fuzz.subjects.json_files import damaged_json, require_unchanged

YAML = """\
schema_version: 1
name: metal
dataset: {format: synthetic, size: 32, n_train: 24, n_test_good: 3, n_defect: 3}
detector: pixel_gaussian
corruptions: [blur]
severities: [3]
accept: {all: {bg_fpr: {max: 0.9}, false_reject_rate: {max: 0.9}, one_sided: false_alarms}}
"""


def _write_valid(name: str) -> Callable[[Path], None]:
    """Return what measures a benchmark, and takes one file of what that left."""

    def write(folder: Path) -> None:
        config = folder / "robustness.yaml"
        config.write_text(YAML, "utf-8")
        code, said = _said("run", "--config", config, "--output-dir", folder / "runs")
        if code:
            raise FoundError(said)
        (folder / "valid.json").write_bytes((folder / "runs" / name).read_bytes())

    return write


def _said(*words: object) -> tuple[int, str]:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = main([str(word) for word in words])
    return code, out.getvalue()


def _read(path: Path, valid: Sequence[bytes]) -> None:
    code, said = _said("verdict", path.parent)
    if code not in (0, 1, 3):
        raise FoundError(f"exit status {code}: {said}")
    if code:
        raise ReportError(f"{path.name}: {said.strip()}")
    require_unchanged(path, valid)


SESSIONS_JUDGED = Subject(
    "judged-sessions",
    300,
    "runs/session.json",
    _write_valid("session.json"),
    damaged_json,
    _read,
)
REPORTS_JUDGED = Subject(
    "judged-reports", 300, "runs/metal.json", _write_valid("metal.json"), damaged_json, _read
)
