"""Take the picture of report.html in the README: the page of the quick start.

Needs ``pip install selenium``, Chromium and its driver; then ``python docs/report_picture.py``.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

ROOT = Path(__file__).parents[1]
WIDTH = 1100
LAST = "[id$='-curves'] h4:nth-of-type(2)"
"""The picture ends above this part of the page."""


def main() -> None:
    """Run a copy of the quick start, open its page, and store what one sees first."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "quickstart")
        shutil.copytree(ROOT / "examples" / "quickstart", project)
        subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "robustbench", "-m", "robustness"],
            cwd=project,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            check=True,
        )
        page = project / "robustness-report" / "report.html"
        (ROOT / "docs" / "report.png").write_bytes(picture_of(page))


def picture_of(page: Path) -> bytes:
    """Return the upper part of a page as PNG."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    browser = Chrome(options=options, service=Service(shutil.which("chromedriver") or ""))
    try:
        size = {"width": WIDTH, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(page.as_uri())
        top = f'return document.querySelector("{LAST}").getBoundingClientRect().top - 8'
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": browser.execute_script(top), "scale": 1}
        settings = {"captureBeyondViewport": True, "clip": clip}
        return base64.b64decode(browser.execute_cdp_cmd("Page.captureScreenshot", settings)["data"])
    finally:
        browser.quit()


if __name__ == "__main__":
    main()
