"""The page in a real browser, where there is one: what no reading of the HTML can tell."""

from __future__ import annotations

import os
import shutil

import pytest

import svcanalytics as sv

pytestmark = pytest.mark.browser

BROWSER = os.environ.get("SVC_BROWSER", "chromium")

HOSTILE = """
HOSTILE = ("<script>document.title='run';alert(1)</script>", "</title></style><img src=x onerror=alert(1)>",
           "x" * 10_000, "javascript:alert(1)", "\\u202egnp.exe", "nul\\x00 \\U0001f600 \\ud83d", "<svg/onload=x()>")
"""
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
    *[item for text in HOSTILE for item in (Heading(text), Text(text), Figure("f", text, text, svg),
      Table("h", text, columns[:2], ((Cell(text, text), Cell(None, text)),), text))],
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
    (tmp_path / "svcanalytics.toml").write_text('organisation = "</title><script>alert(1)</script>"\n')
    folder = notebooks(HOSTILE + REPORT)
    return sv.publish("tiny", "2026-10", sv.open(lake.path), tmp_path / "reports", notebooks=folder)


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
        assert not page.title().startswith("run")
        assert page.locator("script, img, iframe, [onload], [onerror]").count() == 0
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


INDICATORS = """
from svcanalytics.report.blocks import *
from svcanalytics.report.sections.indicator_table import indicators
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.readings import Reading
from svcanalytics.periods import parse_period
common = dict(target=900.0, light="red", kind="duration", direction="down", n=15447, low=147600.0, high=176400.0)
times = [Reading(f"t{n}", name, value=158400.0, previous=151200.0, change=9480.0, significant=True, ytd=154800.0,
                 flag="incomplete", previous_base="incomplete", **common)
         for n, name in enumerate(["平均首次响应时长", "20秒接通率（总量口径）"])]
times += [Reading("s", "转派率", value=0.397, low=0.389, high=0.405, n=15447, target=0.15, light="red",
                  direction="down", previous=0.555, change=-0.158, significant=True, previous_base="incomplete",
                  last_year=0.45, yoy_change=-0.053, ytd=0.456, flag="incomplete")]
evaluation = Evaluation("tiny", parse_period("2026-10"), language, readings=tuple(times))
Blocks((Document("Tiny report", language), *indicators(evaluation).items))
"""


@pytest.mark.parametrize("width", [1200, 1009])  # a laptop's window; A4 landscape within its margins
def test_the_indicator_table_fits_and_where_there_is_no_base_its_words_stay_whole(
    browser, lake, notebooks, tmp_path, width
):
    published = sv.publish("tiny", "2026-10", lake, tmp_path / "reports", notebooks=notebooks(INDICATORS))
    page = browser.new_page(viewport={"width": width, "height": 900})
    if width == 1009:
        page.emulate_media(media="print")
    page.goto(published.page.as_uri())
    wide = page.evaluate("[...document.querySelectorAll('.scroll')].filter(s => s.scrollWidth > s.clientWidth).length")
    assert wide == 0
    lines = page.evaluate(
        """[...document.querySelectorAll('td.absent')].filter(cell => cell.innerText == '无同期数据').map(cell => {
            const range = document.createRange(); range.selectNodeContents(cell);
            return new Set([...range.getClientRects()].map(part => Math.round(part.top))).size; })"""
    )
    assert lines and set(lines) == {1}
