"""The documentation's site as a real browser draws it: open to people who hear pages or type their way through."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

BROWSER = os.environ.get("SVC_BROWSER", "chromium")


@pytest.fixture(scope="module")
def browser():
    """Start the browser; a missing one fails the tests when CI asks for it by name, else they are skipped."""
    executable = shutil.which(BROWSER)
    if executable is None:
        assert "SVC_BROWSER" not in os.environ, f"SVC_BROWSER names {BROWSER}, which is not there"
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield started
        started.close()


# A page of each kind: the entrance, Chinese, code, wide tables, reference from docstrings.
@pytest.mark.parametrize("name", ["index", "zh", "quality-index", "metrics", "reference/causes"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_fits_a_phone_asks_for_nothing_and_has_no_serious_fault(browser, name, scheme):
    if "SVC_SITE" not in os.environ:
        pytest.skip("SVC_SITE names no folder that `make docs` has built")
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto((Path(os.environ["SVC_SITE"]).resolve() / f"{name}.html").as_uri())
    page.wait_for_selector("[data-md-component=search][aria-label]", state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    found = Axe().run(page).response["violations"]
    page.close()
    grave = [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")]
    assert grave == []
    assert all(address.startswith(("file:", "data:")) for address in asked)
