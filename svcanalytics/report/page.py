"""The page: one self-contained HTML file from the blocks an executed notebook shows.

Rendered with Jinja2 directly, not through nbconvert: a report shows nothing of a notebook but its blocks, which carry
data and no HTML. Of nbconvert only the template engine underneath would be used, while its HTML exporter sends the page
through a parser that lower-cases SVG names, percent-encodes Chinese anchors and invents alternative texts, and costs
half a second. Autoescape is on everywhere; the one thing put in as markup is an SVG that `pictures` has taken apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from svcanalytics import resources
from svcanalytics.report.blocks import Cell, Column, Document, Figure, Heading, Table
from svcanalytics.report.extraction import Content
from svcanalytics.report.formats import LIGHTS
from svcanalytics.report.gate import check_page
from svcanalytics.report.labels import label
from svcanalytics.report.pictures import picture

__all__ = ["Imprint", "render", "template"]

_NUMERIC = frozenset(("integer", "number", "rate", "points", "percent", "duration"))
_WIDE = 9


@dataclass(frozen=True)
class Imprint:
    """What the publisher knows and the notebook does not: who, which issue, which edition, from which data.

    Attributes
    ----------
    organisation, issue, period, edition, published, snapshot, scope : str
        As readers see them.
    made_up : bool
        Puts a banner on every sheet.
    version : str
        The package's version.
    """

    organisation: str
    issue: str
    period: str
    edition: str
    published: str
    snapshot: str
    scope: str
    made_up: bool
    version: str

    def facts(self, language: str) -> list[tuple[str, str]]:
        """Return label and text of each, in reading order, empty ones left out."""
        named = [
            (name, getattr(self, name)) for name in ("issue", "period", "scope", "edition", "published", "snapshot")
        ]
        return [(label(name, language), text) for name, text in named if text]


def render(content: Content, imprint: Imprint, *, where: str, workbook: str = "") -> str:
    """Return the page, checked by `gate`.

    Parameters
    ----------
    content : Content
        The report's head and blocks.
    imprint : Imprint
        The edition's particulars.
    where : str
        The report's name, for messages.
    workbook : str
        Name of the workbook beside the page, to link to.

    Raises
    ------
    PublishError
        When a picture or the finished page breaks the rules of `pictures` and `gate`.
    """
    language = content.document.language
    period = label("period", language)
    facts = [(name, text) for name, text in imprint.facts(language) if name != period]
    known = {name for name, _ in facts}
    page = template("report.html.j2").render(
        document=content.document,
        subtitle=_subtitle(content.document, imprint),
        imprint=imprint,
        facts=[*facts, *((name, text) for name, text in content.document.facts if name not in known)],
        sections=_sections(content),
        workbook=workbook,
        language=language,
        label=lambda key, *values: label(key, language, *values),
    )
    check_page(page, where)
    return page


@cache
def template(name: str) -> Any:
    """Return a template of the package; everything put into it is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.path("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(draw=_draw, cell_class=_cell_class, kind_of=_kind_of, lights=LIGHTS, is_wide=_is_wide)
    environment.tests["numeric"] = lambda column: column.kind in _NUMERIC
    return environment.get_template(name)


def _subtitle(document: Document, imprint: Imprint) -> str:
    """Return the period, and what the report's own subtitle says beyond organisation and period."""
    parts = (part.strip() for part in document.subtitle.split("·"))
    own = [part for part in parts if part and part != imprint.organisation and part not in imprint.period]
    return " · ".join([imprint.period, *own])


def _sections(content: Content) -> list[dict[str, Any]]:
    """Group blocks under their headings of level 2; what stands before the first has no heading."""
    sections: list[dict[str, Any]] = [{"heading": None, "blocks": []}]
    figures = tables = 0
    for block in content.blocks:
        if isinstance(block, Heading) and block.level <= 2:
            sections.append({"heading": block, "blocks": []})
            continue
        number = 0
        if isinstance(block, Figure):
            figures = number = figures + 1
        elif isinstance(block, Table):
            tables = number = tables + 1
        sections[-1]["blocks"].append({"block": block, "number": number})
    return [section for section in sections if section["heading"] or section["blocks"]]


def _draw(figure: Figure) -> Mapping[str, Any]:
    import markupsafe

    svg, width = picture(figure.svg, figure.title, figure.alt, figure.id)
    return {"svg": markupsafe.Markup(svg), "width": width}


def _kind_of(cell: Cell, column: Column) -> str:
    return cell.kind or column.kind


def _cell_class(cell: Cell, column: Column) -> str:
    names = []
    if cell.value is None:
        names.append("absent")
    if _kind_of(cell, column) in _NUMERIC and not (column.kind == "text" and cell.value is None):
        names.append("number")
    if cell.light in LIGHTS:
        names.append(f"light {cell.light}")
    return " ".join(names)


def _is_wide(table: Table) -> bool:
    return len(table.columns) > _WIDE
