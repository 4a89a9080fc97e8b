"""Pictures for the page: an SVG is taken apart and only what draws is kept, with a title that can be read aloud."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from svcanalytics.errors import PublishError

__all__ = ["picture"]

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_DRAWING = frozenset(
    ("svg", "g", "path", "rect", "line", "circle", "ellipse", "polygon", "polyline", "text", "tspan", "defs", "use")
    + ("clipPath", "mask", "pattern", "marker", "linearGradient", "radialGradient", "stop", "symbol", "title", "desc")
)
_ATTRIBUTES = re.compile(r"[a-zA-Z][a-zA-Z0-9:_-]*")
_POINTER = re.compile(r"#([\w.-]+)")
_REFERENCE = re.compile(r"url\(\s*(?!['\"]?#)", re.IGNORECASE)


def picture(svg: str, title: str, description: str, id: str) -> tuple[str, float]:
    """Return an SVG fit for a page, and its natural width in pixels.

    Parameters
    ----------
    svg : str
        One ``<svg>`` element.
    title, description : str
        What a screen reader says: the message, and what is to be seen.
    id : str
        The figure's id; names title and description.

    Raises
    ------
    PublishError
        When the text is no SVG, or holds anything that runs or reaches outside.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(svg)
    except (ElementTree.ParseError, DefusedXmlException, ValueError):
        raise PublishError("not a sound SVG", where=f"figure {id}", fix="draw it with svcanalytics.charts") from None
    for element in root.iter():
        _check(element, id)
        # The picture is one to a screen reader, with a title of its own: its marks have no roles beside it.
        for spoken in [key for key in element.attrib if key == "role" or key.startswith("aria-")]:
            del element.attrib[spoken]
    _own_ids(root, id)
    for old in [child for child in root if child.tag in (f"{{{_SVG}}}title", f"{{{_SVG}}}desc")]:
        root.remove(old)
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        child = ElementTree.Element(f"{{{_SVG}}}{tag}", {"id": f"{id}-{tag}"})
        child.text = text
        root.insert(place, child)
    width = _width(root)
    root.attrib.pop("height", None)
    root.attrib.pop("width", None)
    root.attrib.update({"role": "img", "aria-labelledby": f"{id}-title {id}-desc"})
    # Prefixes are global to the process, and the library that writes PDF claims the empty one for pages.
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    return ElementTree.tostring(root, encoding="unicode"), width


def _check(element: ElementTree.Element, id: str) -> None:
    name = element.tag.removeprefix(f"{{{_SVG}}}") if isinstance(element.tag, str) else ""
    if name not in _DRAWING:
        raise PublishError(f"an element that does not draw: {str(element.tag)[:60]!r}", where=f"figure {id}")
    for key, value in element.attrib.items():
        bare = key.removeprefix(f"{{{_XLINK}}}")
        outside = (bare == "href" and not value.startswith("#")) or _REFERENCE.search(value) or "javascript:" in value
        if bare.lower().startswith("on") or not _ATTRIBUTES.fullmatch(bare) or outside:
            raise PublishError(f"an attribute that runs or reaches outside: {bare[:60]!r}", where=f"figure {id}")


def _own_ids(root: ElementTree.Element, id: str) -> None:
    """Put the figure's id before every id inside: two equal pictures may stand on one page."""
    known = {element.get("id") for element in root.iter()} - {None}

    def renamed(found: re.Match[str]) -> str:
        return f"#{id}-{found[1]}" if found[1] in known else found[0]

    for element in root.iter():
        for key, value in element.attrib.items():
            if key == "id":
                element.set(key, f"{id}-{value}")
            elif "#" in value:
                element.set(key, _POINTER.sub(renamed, value))


def _width(root: ElementTree.Element) -> float:
    box = root.get("viewBox", "").replace(",", " ").split()
    try:
        width = float(box[2]) if len(box) == 4 else float((root.get("width") or "").removesuffix("px"))
        height = float(box[3]) if len(box) == 4 else float((root.get("height") or "").removesuffix("px"))
    except ValueError:
        return 720.0
    if len(box) != 4:
        root.set("viewBox", f"0 0 {width:g} {height:g}")
    return width
