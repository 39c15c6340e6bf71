"""Debian's Chromium for tests, driven by playwright; headless.

Tests that need it are skipped where it isn't installed, and the summary of the
run says so.  No browser is ever downloaded.
"""

import shutil

import pytest
from playwright.sync_api import Browser, sync_playwright

PROGRAM = shutil.which("chromium")
MISSING = "Chromium is not installed: apt-get install chromium"
needs_chromium = pytest.mark.skipif(PROGRAM is None, reason=MISSING)
# It asks nobody but the daemon, and runs as root and without a screen.
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
def browser():
    """A browser of the test's own."""
    if PROGRAM is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        running: Browser = playwright.chromium.launch(
            executable_path=PROGRAM, args=list(OPTIONS)
        )
        yield running
        running.close()
