"""Draw what the quick start prints as an SVG: the picture in the README.

Needs ``pip install rich``; then ``python docs/terminal_picture.py``.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 88
ROOT = Path(__file__).parents[1]


def main() -> None:
    """Run the quick start and draw its output, with this machine's folder left out."""
    printed = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "robustbench", "-m", "robustness", "--color=yes"],
        cwd=ROOT / "examples" / "quickstart",
        env={**os.environ, "COLUMNS": str(WIDTH), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.replace(str(ROOT), "~/pytest-robustbench")
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text.from_ansi(f"$ pytest -m robustness\n{printed}"))
    console.save_svg(str(ROOT / "docs" / "quickstart.svg"), title="examples/quickstart")


if __name__ == "__main__":
    main()
