"""Chromium without a window, driven through its DevTools protocol over a pipe: JSON both ways, ended by a zero byte."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update")
QUIET += ("--disable-sync", "--disable-quic", "--hide-scrollbars")
LIMIT = 60.0  # seconds for what a page is waited for: far more than it takes


class Refused(AssertionError):
    """The browser did not do what it was asked, since the page went away, say."""


class Page:
    """One page of a browser. complaints: what its console said."""

    def __init__(self, asks: int, hears: int):
        self._asks, self._hears, self._number, self._rest = asks, hears, 0, b""
        self.complaints: list[str] = []
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        session = {"sessionId": self._session} if self._session else {}
        os.write(self._asks, json.dumps({"id": self._number, "method": method, "params": parameters, **session}).encode() + b"\0")
        while True:
            said = self._next()
            if said.get("id") == self._number:
                if "error" in said:
                    raise Refused(said["error"])
                return said["result"]
            self._hear(said)

    def go(self, address: str) -> None:
        self.call("Page.navigate", url=address)
        self.until("document.readyState === 'complete'")

    def value(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str) -> Any:
        """The expression's value once it is true."""
        end = time.monotonic() + LIMIT
        plain = "(found) => found instanceof Node ? true : found"
        while time.monotonic() < end:
            with suppress(Refused):
                if found := self.value(f"(() => {{ try {{ return ({plain})({expression}) }} catch (error) {{ return null }} }})()"):
                    return found
            time.sleep(0.02)
        raise AssertionError(f"never became true: {expression}")

    def screenshot(self, path: Path, width: int, height: int) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        time.sleep(0.5)
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            self._rest += os.read(self._hears, 1 << 20) or b"\0"
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def _hear(self, said: dict[str, Any]) -> None:
        if said.get("method") == "Log.entryAdded":
            self.complaints.append(said["params"]["entry"]["text"])
        if said.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(said["params"]["exceptionDetails"]))


@contextmanager
def browsing(profile: Path) -> Iterator[Page]:
    """A page of a browser of one's own, which is gone afterwards."""
    (theirs_in, asks), (hears, theirs_out) = os.pipe(), os.pipe()
    options = [*QUIET, "--remote-debugging-pipe", f"--user-data-dir={profile}", "--window-size=1280,900"]
    command = ["bash", "-c", f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}', CHROMIUM, *options]
    browser = subprocess.Popen(command, pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL)
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Page(asks, hears)
    finally:
        browser.kill()
        browser.wait()
        os.close(asks)
        os.close(hears)
