"""One headless Chromium, driven through chromedriver: what the tests of the page and the screenshots share.

Its profile is empty, and it asks no host but the ones that it is sent to.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.client_config import ClientConfig

ROOT = Path(__file__).resolve().parents[2]

#: Where pictures and what went wrong are kept; the only place that says so.
OUTPUT = ROOT / "build" / "screenshots"

#: How long the browser may take to load a page, and to answer at all.
LOAD_S = 40
ANSWER_S = 60

DESKTOP = (1280, 800)
PHONE = (375, 740)

_SWITCHES = (
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--disable-search-engine-choice-screen",
    # A covered window must not poll less often than one that is seen.
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--lang=en-US",
    f"--window-size={DESKTOP[0]},{DESKTOP[1]}",
)


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise RuntimeError(f"{name} is not installed: .ci/setup --for-tests installs it")
    return path


class Chromium:
    """The browser with one window; :attr:`driver` is Selenium's."""

    def __init__(self, profile: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = _program("chromium")
        for switch in _SWITCHES:
            options.add_argument(switch)
        if os.geteuid() == 0:
            # Chromium's own sandbox refuses to run as root.
            options.add_argument("--no-sandbox")
        options.add_argument(f"--user-data-dir={profile}")
        options.accept_insecure_certs = True
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service(_program("chromedriver"))
        self.driver = webdriver.Chrome(options, service)
        # A connection of its own for each command: none is open when a test is asked what it left behind.
        self.driver.command_executor.close()
        config: ClientConfig = self.driver.command_executor.client_config
        config.keep_alive = False
        config.timeout = ANSWER_S
        self.driver.set_page_load_timeout(LOAD_S)
        self.driver.set_script_timeout(LOAD_S)
        self._window = self.driver.current_window_handle

    def quit(self) -> None:
        """End the browser and its driver."""
        self.driver.quit()

    def only_window(self, window: str) -> None:
        """Close all windows but this one, which is seen again: where it is covered nothing is drawn."""
        for other in self.driver.window_handles:
            if other != window:
                self.driver.switch_to.window(other)
                self.driver.close()
        self.driver.switch_to.window(window)

    def cdp(self, method: str, **parameters: Any) -> Any:
        """Call a method of the Chrome DevTools Protocol."""
        return self.driver.execute_cdp_cmd(method, parameters)

    def reset(self) -> None:
        """Forget pages, cookies and everything emulated; what the console said until now is read away."""
        self.only_window(self._window)
        self.driver.get("about:blank")
        self.cdp("Network.clearBrowserCookies")
        self.size(*DESKTOP)
        self.theme("")
        self.driver.get_log("browser")

    def size(self, width: int, height: int) -> None:
        """Give the page a width and a height in CSS pixels; below 600 it is a phone's screen."""
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def theme(self, name: str) -> None:
        """Say what the system prefers: ``dark``, ``light``, or nothing."""
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    @contextmanager
    def downloads(self, folder: Path) -> Iterator[Path]:
        """Have links that download save their files in ``folder``."""
        folder.mkdir(exist_ok=True)
        self.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        yield folder
        self.cdp("Browser.setDownloadBehavior", behavior="default")

    def console(self) -> list[str]:
        """Errors that the browser reported since the last call: exceptions, refused loads, the policy's."""
        return [
            f"{entry['source']}: {entry['message']}"
            for entry in self.driver.get_log("browser")
            if entry["level"] == "SEVERE" or entry["source"] == "security"
        ]

    def picture(self, name: str, *, whole: bool = False) -> Path:
        """Keep a picture of the window, with ``whole`` of the whole page, in :data:`OUTPUT` as ``name``."""
        OUTPUT.mkdir(parents=True, exist_ok=True)
        path = OUTPUT / f"{re.sub(r'[^A-Za-z0-9.]+', '-', name).strip('-')}.png"
        taken = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(taken["data"]))
        return path
