"""The one door to OpenCV, so that one that is broken is explained and not traced back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pytest_robustbench.errors import InstallationError
from pytest_robustbench.importing import bringing

if TYPE_CHECKING:
    from types import ModuleType

REMEDY = (
    "uninstall every OpenCV that `pip list` shows, then: pip install --force-reinstall "
    "opencv-python-headless (it needs no libGL)"
)


def load() -> ModuleType:
    """Return the module ``cv2``.

    Raises
    ------
    InstallationError
        If it cannot be imported, or only its empty folder is left; the message names the remedy.
    """
    try:
        import cv2
    except Exception as error:  # built for another NumPy, it fails in several ways
        told = " ".join(str(error).split())
        raise InstallationError(f"OpenCV cannot be imported ({told}); {REMEDY}") from error
    if sys.modules.get("cv2") is not cv2:
        # A thread that waits for another's import is handed the module even where that import
        # fails: an empty one, which says nothing about why.
        return load()
    if not hasattr(cv2, "imdecode"):
        raise InstallationError(
            "OpenCV cannot be imported (its folder is there, but not its modules: two "
            f"distributions share it, and one was uninstalled); {REMEDY}"
        )
    return cv2


def shared() -> str:
    """Return what to tell where several distributions have put OpenCV into one folder; or nothing.

    Those that list no files, as conda's do for pip's sake, have put nothing there.
    """
    found = [f"{one.name} {one.version}" for one in bringing("cv2") if one.read_text("RECORD")]
    if len(found) < 2:
        return ""
    return (
        f"{' and '.join(found)} share one folder: the one installed last is used, and uninstalling "
        "one breaks the other; keep opencv-python-headless alone"
    )
