"""Whether the gate works with the versions that are installed here, in seconds.

Called as `python .ci/short_check.py` by the Python of an environment that has the project with its
extra `report`, and pytest-xdist. A small benchmark is measured in a pipe, on a pseudo-terminal, by
two workers and without pytest, each time with warnings as errors: it must pass and write its page;
in a pipe and without pytest also fail where a limit is violated.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

YAML = """\
schema_version: 1
name: short
dataset: {format: synthetic, category: woven_fabric, n_train: 24, n_test_good: 4, n_defect: 4}
detector: {name: pixel_gaussian}
corruptions: [lighting, jpeg]
severities: [1, 3]
accept:
  all: {bg_fpr: {max: 0.999}, one_sided: false_alarms}
"""
STRICT = YAML.replace("0.999", "0.000001")
SUITE = "from pytest_robustbench.suite import test_robustness\n"
PYTEST = ("-W", "error", "-m", "pytest", "-m", "robustness", "-p", "no:cacheprovider")
COMMAND = ("-W", "error", "-m", "pytest_robustbench", "run", "--config", "robustness.yaml")
WAYS = {
    "pipe": (PYTEST, False),
    "terminal": (PYTEST, True),
    "workers": ((*PYTEST, "-n", "2"), False),
    "workers on a terminal": ((*PYTEST, "-n", "2"), True),
    "command": ((*COMMAND, "--output", "robustness-report/short.json"), False),
}
SIGNS = ("INTERNALERROR", "Traceback", "not foreseen", "Warning")
SHOWN = ("numpy", "pytest", "pytest-benchmark", "pytest-xdist", "matplotlib", "scikit-learn")
PROGRESS = "\x1b[1A\r"


def main() -> int:
    """Return 0 if every way of running passes and fails as it should."""
    found = ", ".join(f"{name} {version(name)}" for name in SHOWN)
    say(f"Python {sys.version.split()[0]}, {found}")
    return max(check(name, *way) for name, way in WAYS.items())


def check(name: str, arguments: tuple[str, ...], on_terminal: bool) -> int:
    """Return 0 if one way of running passes and fails as it should, 1 with its output if not."""
    ends = ((YAML, 0), (STRICT, 1)) if name in ("pipe", "command") else ((YAML, 0),)
    for yaml, expected in ends:
        with TemporaryDirectory() as folder:
            status, text = run(Path(folder), yaml, arguments, on_terminal)
            wrong = [sign for sign in SIGNS if sign in text]
            if status != expected:
                wrong.append(f"exit status {status}, not {expected}")
            if "pytest" in arguments and not Path(folder, "robustness-report/report.html").exists():
                wrong.append("no report.html")
            if on_terminal and PROGRESS not in text and "-n" not in arguments:
                wrong.append("no progress")
        if wrong:
            say(f"{text}\n{name}: {', '.join(wrong)}")
            return 1
    say(f"{name}: works")
    return 0


def run(folder: Path, yaml: str, arguments: tuple[str, ...], on_terminal: bool) -> tuple[int, str]:
    """Return exit status and output of a run in a project of its own."""
    (folder / "robustness.yaml").write_text(yaml, encoding="utf-8")
    (folder / "test_robustness.py").write_text(SUITE, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if k not in ("CI", "BUILD_NUMBER")}
    environment["TERM"] = "xterm"
    command = [sys.executable, *arguments]
    if not on_terminal:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return done.returncode, done.stdout.decode(errors="replace")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        written = b"".join(pieces(ours))
    os.close(ours)
    return process.returncode, written.decode(errors="replace")


def pieces(descriptor: int) -> Iterator[bytes]:
    """Yield what is written to the other end of a pseudo-terminal until it is closed."""
    with suppress(OSError):  # how Linux says that nobody writes any more
        while block := os.read(descriptor, 1 << 16):
            yield block


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
