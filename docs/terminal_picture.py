"""Draw what a command prints as an SVG: the picture in the README.

Needs ``pip install rich``. In ``examples/quickstart``, run ``python ../../docs/terminal_picture.py
../../docs/quickstart.svg pytest -m robustness --color=yes``.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys

from rich.console import Console
from rich.text import Text

WIDTH = 88


def main(target: str, *command: str) -> None:
    """Run `command` and draw its output into the file `target`."""
    environment = {**os.environ, "COLUMNS": str(WIDTH)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text.from_ansi(f"$ {' '.join(command[:3])}\n{done.stdout}"))
    console.save_svg(target, title="pytest -m robustness")


if __name__ == "__main__":
    main(*sys.argv[1:])
