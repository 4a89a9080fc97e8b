"""The published pages as a real browser draws them: nothing is fetched, nothing is cut off, Chinese is legible."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

BROWSER = os.environ.get("SVC_BROWSER", "chromium")
REPORTS = os.environ.get("SVC_REPORTS")
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

CUT_OFF = """() => [...document.querySelectorAll('svg')].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(text => {
    const box = text.getBoundingClientRect();
    return box.width > 0 && (box.left < frame.left - 2 || box.right > frame.right + 2);
  }).map(text => text.textContent);
})"""


@pytest.fixture(scope="module")
def browser():
    """Start the browser; a missing one fails the tests when CI asks for it by name, else they are skipped."""
    executable = shutil.which(BROWSER)
    if executable is None:
        if "SVC_BROWSER" in os.environ:
            pytest.fail(f"SVC_BROWSER names {BROWSER}, which is not there")
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield made
        made.close()


def pages() -> list[Path]:
    """Return the newest edition of every published report, and the index."""
    if REPORTS is None:
        return []
    places = {path.parent.parent for path in Path(REPORTS).glob("*/*/*/*/report.html")}
    newest = [max(place.glob("*/report.html"), key=lambda page: int(page.parent.name)) for place in sorted(places)]
    return [Path(REPORTS) / "index.html", *newest]


@pytest.fixture(params=pages() or [None], ids=lambda path: path and str(path.relative_to(REPORTS).parent))
def page_path(request):
    if request.param is None:
        pytest.skip("SVC_REPORTS names no folder of published reports")
    return request.param


@pytest.fixture
def opened(browser, page_path):
    """Open the page and remember what it asked for and complained about."""
    page = browser.new_page(viewport=DESK)
    page.asked, page.complaints = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(page_path.as_uri())
    yield page
    page.close()


def test_a_page_asks_for_nothing_and_complains_about_nothing(opened, page_path):
    assert opened.asked == [page_path.as_uri()]
    assert opened.complaints == []


def test_a_page_has_no_serious_fault_for_people_who_hear_or_type_their_way_through(browser, page_path):
    from axe_playwright_python.sync_playwright import Axe

    # The page forbids scripts, this one too: only for the examination is it let in.
    context = browser.new_context(viewport=DESK, bypass_csp=True)
    page = context.new_page()
    page.goto(page_path.as_uri())
    found = Axe().run(page).response["violations"]
    context.close()
    grave = [(v["id"], v["help"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")]
    assert grave == []


def test_a_page_fits_the_desk_and_the_phone(opened):
    for size in (DESK, PHONE):
        opened.set_viewport_size(size)
        assert opened.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_no_word_of_a_picture_is_cut_off(opened):
    assert opened.evaluate(CUT_OFF) == []


def test_no_table_is_wider_than_its_place_on_the_desk(opened):
    wide = "t => t.checkVisibility() && t.scrollWidth > t.parentElement.clientWidth + 1"
    names = f"[...document.querySelectorAll('table')].filter({wide}).map(t => t.innerText.slice(0, 40))"
    assert opened.evaluate(names) == []


def test_the_first_screen_of_a_report_holds_a_sentence_and_a_picture(opened, page_path):
    if page_path.name == "index.html":
        pytest.skip("the index is a list")
    top = opened.evaluate("(() => { const s = document.querySelector('svg'); return s.getBoundingClientRect().top })()")
    assert top < DESK["height"] - 150
    assert len(opened.evaluate("document.body.innerText")) > 500


def test_every_picture_has_a_text_that_stands_for_it(opened, page_path):
    without = opened.evaluate(
        "[...document.querySelectorAll('svg')].filter(s => !(s.getAttribute('aria-label') || s.querySelector('title')"
        " || s.closest('[aria-label]') || s.closest('[role=img]'))).length"
    )
    assert without == 0


def test_a_page_prints_on_a4(opened, tmp_path):
    printed = opened.pdf(format="A4", path=tmp_path / "page.pdf")
    assert printed[:4] == b"%PDF"


def test_the_picture_of_a_page_can_be_looked_at(opened, page_path, tmp_path):
    """Screenshots go where SVC_SHOTS says, for people to look at; a blank page would compress to almost nothing."""
    folder = Path(os.environ.get("SVC_SHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    name = "-".join(page_path.relative_to(REPORTS).with_suffix("").parts)
    shot = opened.screenshot(path=folder / f"{name}.png", full_page=True)
    assert len(shot) > 20_000


def test_a_manifest_names_the_files_it_stands_beside(page_path):
    if page_path.name == "index.html":
        pytest.skip("the index has no manifest")
    manifest = json.loads((page_path.parent / "manifest.json").read_text("utf-8"))
    assert manifest["edition"] == int(page_path.parent.name)
