"""The page in a real browser, where there is one: what no reading of the HTML can tell."""

from __future__ import annotations

import os
import shutil

import pytest

import svcanalytics as sv

pytestmark = pytest.mark.browser

BROWSER = os.environ.get("SVC_BROWSER", "chromium")

REPORT = """
from svcanalytics.report.blocks import *
columns = (Column("name", "Name"), *(Column(f"c{n}", f"Column {n}", "rate") for n in range(12)))
name = Cell("first contact resolution", "first contact resolution")
rows = ((name, *[Cell(0.5, "50.0%")] * 12),) * 40
svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 200"><text x="9" y="99">text</text></svg>'
Blocks((
    Document("Tiny report", language, warnings=("<script>document.title='run'</script>",)),
    Heading("Summary"), Text("A sentence.", "lead"), Text("x" * 3000), Figure("f", "Message", "Picture", svg),
    Heading("Table"), Table("t", "Wide", columns, rows),
))
"""


@pytest.fixture(scope="module")
def browser():
    """Start the browser; a missing one fails the tests when CI asks for it by name, else they are skipped."""
    executable = shutil.which(BROWSER)
    if executable is None:
        assert "SVC_BROWSER" not in os.environ, f"SVC_BROWSER names {BROWSER}, which is not there"
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-quic"])
        yield started
        started.close()


@pytest.fixture
def published(lake, notebooks, tmp_path):
    return sv.publish("tiny", "2026-10", lake, tmp_path / "reports", notebooks=notebooks(REPORT))


@pytest.mark.parametrize("width", [500, 1280])
def test_pages_ask_for_nothing_complain_of_nothing_and_never_scroll_sideways_as_a_whole(browser, published, width):
    for file in (published.page, published.path.parents[3] / "index.html"):
        page = browser.new_page(viewport={"width": width, "height": 900})
        asked, said = [], []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.on("console", lambda message, said=said: said.append(message.text))
        page.goto(file.as_uri())
        assert asked == [file.as_uri()]
        assert said == []
        assert page.title() != "run"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()


def test_the_first_key_skips_to_the_report_and_wide_tables_scroll_by_keyboard(browser, published):
    page = browser.new_page(viewport={"width": 500, "height": 900})
    page.goto(published.page.as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.hash") == "#report"
    table = page.locator(".scroll:has(#t)")
    table.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert table.evaluate("it => it.scrollLeft") > 0


def test_the_first_screen_holds_the_sentence_and_the_picture(browser, published):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(published.page.as_uri())
    for part in ("p.lead", "figure svg"):
        box = page.locator(part).first.bounding_box()
        assert box["y"] + box["height"] <= 800


def test_a_table_across_the_page_prints_with_its_head_on_every_sheet(browser, published):
    page = browser.new_page()
    page.goto(published.page.as_uri())
    page.emulate_media(media="print")
    assert page.locator("#t thead").evaluate("it => getComputedStyle(it).display") == "table-header-group"
    assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") >= 2
