"""Where a report was made."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from pytest_robustbench.importing import bringing, distributions_installed
from pytest_robustbench.plain_json import sha256_of
from pytest_robustbench.version import __version__

PACKAGES = ("numpy", "cv2", "sklearn", "torch", "onnxruntime", "openvino")
"""By the names to import; the distributions that bring them may be called otherwise."""


def environment(folder: Path | None = None) -> dict[str, Any]:
    """Return versions, machine, and the git commit of `folder` where there is one."""
    return {
        "pytest_robustbench": __version__,
        "python": platform.python_version(),
        "packages": _packages(),
        "installed": sha256_of(distributions_installed()),
        "platform": platform.platform(),
        "cpu": _cpu(),
        "cpu_count": os.cpu_count(),
        "device": _device(),
        "git_commit": _git_commit(folder or Path.cwd()),
    }


def _packages() -> dict[str, str]:
    """Return the version of each by distribution, and of OpenCV the loaded one.

    Two of its distributions share a folder: what is installed does not tell what is used.
    """
    found = {one.name: one.version for one in bringing(*PACKAGES)}
    loaded = getattr(sys.modules.get("cv2"), "__version__", None)
    return {**found, "cv2": str(loaded)} if loaded else found


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _device() -> str:
    # Looked up, not imported: a run without torch has no CUDA device to name.
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return "cpu"


def _git_commit(folder: Path) -> str | None:
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
