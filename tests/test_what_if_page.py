"""The what-if page as a real browser shows it: sliders that answer, nothing fetched from anywhere else."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parent.parent
BROWSER = os.environ.get("SVC_BROWSER", "chromium")
PANEL = ".svc-what-if"


@pytest.fixture(scope="module")
def address():
    if not (ROOT / "data" / "demo").exists():
        assert "SVC_REPORTS" not in os.environ, "the demonstration was published, but its lake is not there"
        pytest.skip("no demonstration: run make report")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = "import sys; from pathlib import Path; from svcanalytics.cli.jupyter import start_page; "
    code += f"sys.exit(start_page(Path({str(ROOT / 'notebooks' / 'explore' / 'what_if.ipynb')!r}), {port}))"
    server = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, start_new_session=True)
    url = f"http://127.0.0.1:{port}/"
    for _ in range(200):
        try:
            urllib.request.urlopen(f"{url}voila/static/", timeout=2)
        except urllib.error.HTTPError:
            break
        except OSError:
            time.sleep(0.2)
    yield url
    os.killpg(server.pid, 15)
    server.wait(20)


@pytest.fixture(scope="module")
def page(address):
    executable = shutil.which(BROWSER)
    if executable is None:
        assert "SVC_BROWSER" not in os.environ, f"SVC_BROWSER names {BROWSER}, which is not there"
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        made = browser.new_page(viewport={"width": 1000, "height": 1000})
        made.asked, made.complaints = [], []
        made.on("request", lambda request: made.asked.append(request.url))
        made.on("console", lambda message: message.type == "error" and made.complaints.append(message.text))
        made.on("pageerror", lambda error: made.complaints.append(str(error)))
        made.goto(address, timeout=180_000)
        made.wait_for_selector(f"{PANEL} table", timeout=180_000)
        yield made
        browser.close()


def answered(page) -> float:
    """Return the share answered in time that the panel shows behind the change."""
    row = page.locator(f"{PANEL} tbody tr").first.inner_text()
    return float(re.findall(r"([\d.]+)%", row)[1])


def test_more_volume_is_answered_worse_and_the_slider_back_gives_the_plan_again(page):
    planned = answered(page)
    handle = page.locator(f"{PANEL} .noUi-handle, {PANEL} .ui-slider-handle").first
    for key, worse in (("ArrowRight", True), ("ArrowLeft", False)):
        before = page.locator(f"{PANEL} table").inner_text()
        handle.focus()
        for _ in range(4):
            page.keyboard.press(key)
        page.wait_for_function(
            "([selector, text]) => document.querySelector(selector).innerText !== text",
            arg=[f"{PANEL} table", before],
            timeout=30_000,
        )
        page.wait_for_timeout(3000)
        assert (answered(page) < planned - 1) == worse


def test_the_page_shows_no_code_asks_nobody_else_and_complains_of_nothing(page, address):
    assert "import svcanalytics" not in page.inner_text("body")
    elsewhere = [url for url in page.asked if not url.startswith((address, "data:", "blob:"))]
    assert elsewhere == []
    assert page.complaints == []


def test_the_page_fits_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
