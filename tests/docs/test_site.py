"""The documentation's site builds without a warning, fetches nothing, and says what the package says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FETCHED = {"img": ("src", "srcset"), "script": ("src",), "iframe": ("src",), "source": ("src", "srcset")}


class Page(HTMLParser):
    """What a browser fetches for a page, where its links lead, and which anchors it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.anchors.add(found.get("id") or "")
        self.fetched += [found[name] for name in FETCHED.get(tag, ()) if found.get(name)]
        if tag == "link" and found.get("rel") not in ("canonical", "prev", "next"):
            self.fetched.append(found.get("href") or "")
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    return {file: Page(file.read_text("utf-8")) for file in site.rglob("*.html")}


@pytest.mark.slow
def test_no_page_of_the_site_fetches_anything_from_elsewhere(site, pages):
    elsewhere = {address for page in pages.values() for address in page.fetched if re.match(r"(\w+:)?//", address)}
    assert elsewhere == set()
    styles = "".join(file.read_text("utf-8") for file in site.rglob("*.css"))
    assert not re.search(r"@import|url\(\s*['\"]?(?:https?:)?//", styles)


@pytest.mark.slow
def test_every_link_within_the_site_leads_somewhere(pages):
    broken = []
    for file, page in pages.items():
        if file.name == "404.html":  # its links are written for the root of a server
            continue
        for link in page.links:
            path, _, anchor = link.partition("#")
            target = (file.parent / path).resolve() if path else file
            if re.match(r"\w+:", link):
                continue
            if not target.exists() or (target.suffix == ".html" and anchor and anchor not in pages[target].anchors):
                broken.append(f"{file.name}: {link}")
    assert broken == []


@pytest.mark.slow
@pytest.mark.parametrize("package", ["metrics", "quality", "causes", "demand", "staffing", "report"])
def test_the_reference_has_every_name_a_package_lists(package, pages):
    names = import_module(f"svcanalytics.{package}").__all__
    anchors = next(page.anchors for file, page in pages.items() if file.parts[-2:] == ("reference", f"{package}.html"))
    here = {anchor.rpartition(".")[2] for anchor in anchors}
    assert [name for name in names if name not in here] == []


@pytest.mark.slow
def test_the_command_page_has_the_commands(site):
    text = (site / "reference" / "commands.html").read_text("utf-8")
    assert all(f"svcanalytics {name}" in text for name in ("load", "report", "actions add", "quarantine release"))
    assert "--dry-run" in text or "--yes" in text


def test_the_methods_name_no_source_that_the_code_does_not_name():
    run = "import sys; sys.path.insert(0, 'docs'); import hooks; print(hooks._sources())"
    listed = subprocess.run([sys.executable, "-c", run], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    page = cited((ROOT / "docs" / "methods.md").read_text("utf-8"))
    assert len(page) > 60
    assert page - cited(listed.replace(", J. B.", "")) == set()


def cited(text: str) -> set[tuple[str, str]]:
    """Return first author and year of every source a text names."""
    author = r"(?:Das |OECD/JRC )?[A-Z][\w'-]+"
    named = re.compile(rf"({author})(?:,? (?:and )?{author})*(?: et al\.)? ((?:18|19|20)\d\d)")
    return set(named.findall(" ".join(text.split())))
