"""A headless Chromium that has no network: whatever a page asks for besides itself is written down
and refused.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
# The browser itself must look nothing up either; --no-sandbox since containers often run as root.
_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --force-color-profile=srgb --hide-scrollbars"
).split()


def executable() -> str | None:
    """A Chromium of this machine; None leaves it to Playwright's own, which may not be there."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    return found or (str(_MAC) if _MAC.exists() else None)


@contextmanager
def chromium() -> Iterator[Any]:
    """Playwright's Browser. Skips the test where there is none."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="needs playwright, of the extra [dev]"
    )
    with sync_api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=executable(), args=_FLAGS)
        except sync_api.Error as error:
            pytest.skip(
                f"needs Chromium: install the package chromium ({str(error).splitlines()[0]})"
            )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Opened:
    """A page that is open, and what it did that it should not."""

    page: Any
    requests: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)  # console messages, uncaught errors, dialogs

    def overflow(self) -> int:
        """How many px the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def quiet(self) -> bool:
        return not self.requests and not self.told


@contextmanager
def opened(
    browser: Any, path: Path, width: int = 1280, height: int = 900, scheme: str = "light"
) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    found = Opened(context.new_page())
    address = path.resolve().as_uri()

    def route(asked: Any) -> None:
        if asked.request.url == address:
            asked.continue_()
        else:
            found.requests.append(asked.request.url)
            asked.abort()

    context.route("**/*", route)
    found.page.on("console", lambda message: found.told.append(message.text))
    found.page.on("pageerror", lambda error: found.told.append(str(error)))

    def answer(dialog: Any) -> None:
        found.told.append(dialog.message)
        dialog.dismiss()

    found.page.on("dialog", answer)
    try:
        found.page.goto(address)
        yield found
    finally:
        context.close()
