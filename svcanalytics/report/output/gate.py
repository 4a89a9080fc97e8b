"""The last look at a page before it is published: nothing that runs, nothing from outside, nothing without words."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from svcanalytics.errors import PublishError

__all__ = ["check_page", "faults"]

_FETCHING = frozenset(
    ("src", "srcset", "href", "xlink:href", "action", "formaction", "poster", "data", "background", "cite")
    + ("longdesc", "manifest", "ping")
)
_FORBIDDEN = frozenset(
    ("script", "link", "iframe", "frame", "object", "embed", "applet", "base", "form", "portal", "audio", "video")
    + ("source",)
)
_STYLE_FETCH = re.compile(r"url\(\s*['\"]?(?!#|data:|['\"])|@import", re.IGNORECASE)


def check_page(page: str, where: str) -> None:
    """Refuse a page that breaks the rules of `faults`.

    Raises
    ------
    PublishError
        Naming the first faults.
    """
    found = faults(page)
    if found:
        raise PublishError(f"the page can't be published: {'; '.join(found[:5])}", where=where)


def faults(page: str) -> list[str]:
    """Return what makes a page unfit to be published, with line numbers; an empty list when it is fit.

    Refused are scripts, event attributes, addresses outside the page, frames and forms, pictures without alternative
    text, a page without language, title, main heading or content security policy, and ids used twice.
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    for name in ("lang", "title", "h1", "policy"):
        if name not in reader.seen:
            reader.faults.append(f"no {name}")
    return reader.faults


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.seen: set[str] = set()
        self._ids: set[str] = set()
        self._in_style = False

    def _fault(self, text: str) -> None:
        self.faults.append(f"line {self.getpos()[0]}: {text}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        self._in_style = tag == "style"
        if tag in _FORBIDDEN:
            self._fault(f"<{tag}>")
        for key, value in given.items():
            self._check_attribute(tag, key, value)
        if tag == "img" and not given.get("alt", "").strip():
            self._fault("a picture without alternative text")
        if tag == "svg" and not (given.get("role") == "img" and given.get("aria-labelledby")):
            self._fault("a drawing without a title")
        if "id" in given:
            if given["id"] in self._ids:
                self._fault(f"the id {given['id']!r} is used twice")
            self._ids.add(given["id"])
        if tag == "html" and given.get("lang"):
            self.seen.add("lang")
        if tag in ("body", "h1") or (tag == "title" and "body" not in self.seen):  # drawings have titles too
            self.seen.add(tag)
        if tag == "meta" and given.get("http-equiv", "").lower() == "content-security-policy":
            self.seen.add("policy")
        if tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self._fault("a page that leads elsewhere")

    def _check_attribute(self, tag: str, key: str, value: str) -> None:
        address = "".join(value.split()).lower()
        if key.startswith("on"):
            self._fault(f"the attribute {key} runs code")
        elif key in _FETCHING and not self._inside(tag, address):
            self._fault(f"an address outside the page in {key}")
        elif _STYLE_FETCH.search(value) and key in ("style", "fill", "stroke", "filter", "mask", "clip-path"):
            self._fault(f"{key} fetches something")

    @staticmethod
    def _inside(tag: str, address: str) -> bool:
        if address.startswith("data:image/"):
            return tag == "img"
        # Relative paths without a scheme: the index leads to its editions, a page to its own workbook.
        return address.startswith("#") or (tag == "a" and bool(re.fullmatch(r"[\w.~%-]+(/[\w.~%-]+)*", address)))

    def handle_endtag(self, tag: str) -> None:
        self._in_style = self._in_style and tag != "style"

    def handle_data(self, data: str) -> None:
        if self._in_style and _STYLE_FETCH.search(data):
            self._fault("the style sheet fetches something")
