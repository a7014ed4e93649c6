"""A headless Chromium, as far as the tests of a page need one."""

from __future__ import annotations

import base64
import json
import shutil
from contextlib import contextmanager

MISSING = "Chromium and its driver are not installed"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
ANY_ROWS = "return Array.from(document.getElementById(arguments[0]).tBodies[0].rows)"


def installed():
    """Paths of the browser and its driver; None for what is not there."""
    return next(filter(None, map(shutil.which, BROWSERS)), None), shutil.which("chromedriver")


@contextmanager
def started(profile):
    """Both are named, so that Selenium has nothing to look for, and nothing to download."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    browser, driver = installed()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    running = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield Browser(running)
    finally:
        running.quit()


class Browser:
    def __init__(self, driver):
        self.driver = driver

    def open(self, path, *, width=1280, scheme="light", scripts=True):
        """Load a page afresh; what was logged before is forgotten."""
        wanted = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wanted.items()]
        self.command("Emulation.setEmulatedMedia", media="screen", features=features)
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 700}
        self.command("Emulation.setDeviceMetricsOverride", **size)
        self.command("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.driver.get("about:blank")
        self.console(), self.requests()
        self.driver.get(path.as_uri())
        return self

    def command(self, name, **parameters):
        return self.driver.execute_cdp_cmd(name, parameters)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def console(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """URLs of everything that was asked for since the last call."""
        logged = (json.loads(e["message"])["message"] for e in self.driver.get_log("performance"))
        sent = (entry for entry in logged if entry["method"] == "Network.requestWillBeSent")
        return [entry["params"]["request"]["url"] for entry in sent]

    def press(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def click(self, css):
        self.driver.find_element("css selector", css).click()

    def screenshot(self):
        return base64.b64decode(self.command("Page.captureScreenshot")["data"])

    def printed(self):
        return base64.b64decode(self.command("Page.printToPDF")["data"])

    def shown_rows(self, table):
        """Texts of the cells of all rows that are not hidden."""
        script = f"{ANY_ROWS}.filter(r => r.offsetHeight).map(r => Array.from(r.cells, "
        return self.run(script + "c => c.innerText.trim()))", table)

    def values(self, table, column):
        """The numbers that a column sorts by, as texts, in the order shown."""
        script = f"{ANY_ROWS}.map(r => r.cells[arguments[1]].dataset.value)"
        return self.run(script, table, column)

    def head(self, table, column):
        """CSS selector of a column's button."""
        return f"#{table} thead th:nth-child({column + 1}) button"
