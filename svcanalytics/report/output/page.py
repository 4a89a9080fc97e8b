"""The page: one self-contained HTML file from the blocks an executed notebook shows.

Rendered with Jinja2 directly, not through nbconvert: a report shows nothing of a notebook but its blocks, which carry
data and no HTML. Of nbconvert only the template engine underneath would be used, while its HTML exporter sends the page
through a parser that lower-cases SVG names, percent-encodes Chinese anchors and invents alternative texts, and costs
half a second. Autoescape is on everywhere; the one thing put in as markup is an SVG that `pictures` has taken apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from svcanalytics import resources
from svcanalytics.report.blocks import Cell, Column, Document, Figure, Heading, Table
from svcanalytics.report.output.extraction import Content
from svcanalytics.report.output.gate import check_page
from svcanalytics.report.output.pictures import picture
from svcanalytics.report.words.formats import LIGHTS
from svcanalytics.report.words.labels import label

__all__ = ["Imprint", "render", "template"]

_NUMERIC = frozenset(("integer", "number", "rate", "points", "percent", "duration"))
_DENSE, _WIDE, _TIGHT = 6, 8, 11
_SHORT, _SLIM = 20, 8  # in halves of a Chinese character; what is longer may be broken into lines


@dataclass(frozen=True)
class Imprint:
    """What the publisher knows and the notebook does not: who, which issue, which edition, from which data.

    Attributes
    ----------
    organisation, issue, period, edition, published, snapshot, scope : str
        As readers see them.
    author, reviewer, approver : str
        Who prepared, reviewed and approved it; "" leaves a line to sign on.
    cut_off : str
        Until when data count.
    mark, mark_note : str
        The mark of confidentiality and the sentence beside it; "" for none.
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
    author: str = ""
    reviewer: str = ""
    approver: str = ""
    cut_off: str = ""
    mark: str = ""
    mark_note: str = ""

    def facts(self, language: str) -> list[tuple[str, str]]:
        """Return label and text of each, in reading order, empty ones left out."""
        names = ("issue", "period", "scope", "edition", "published", "cut_off", "snapshot")
        return [(label(name, language), getattr(self, name)) for name in names if getattr(self, name)]

    def signatures(self, language: str) -> list[tuple[str, str]]:
        """Return who prepared, reviewed and approved it: the label and the name, "" where somebody is yet to sign."""
        names = {"prepared": self.author, "reviewed": self.reviewer, "approved": self.approver}
        return [(label(name, language), text) for name, text in names.items()]


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
    environment.globals.update(css_text=_css_text, draw=_draw, cell_class=_cell_class, kind_of=_kind_of, layout=_layout)
    return environment.get_template(name)


def _subtitle(document: Document, imprint: Imprint) -> str:
    """Return the period, and what the report's own subtitle says beyond organisation and period."""
    parts = (part.strip() for part in document.subtitle.split("·"))
    own = [part for part in parts if part and part != imprint.organisation and part not in imprint.period]
    return " · ".join([imprint.period, *own])


def _sections(content: Content) -> list[dict[str, Any]]:
    """Group blocks under their headings of level 2; what stands before the first has no heading."""
    sections: list[dict[str, Any]] = [{"heading": None, "blocks": []}]
    counts = {"figure": 0, "table": 0}
    for block in content.blocks:
        if isinstance(block, Heading) and block.level <= 2:
            sections.append({"heading": block, "blocks": []})
            continue
        if block.type in counts:
            counts[block.type] += 1
        sections[-1]["blocks"].append({"block": block, "number": counts.get(block.type, 0)})
    return [
        {"heading": section["heading"], "broad": _is_broad(section["blocks"]), **_arrange(section["blocks"])}
        for section in sections
        if section["heading"] or section["blocks"]
    ]


def _is_broad(entries: list[dict[str, Any]]) -> bool:
    """Tell whether a section holds a table that paper takes in landscape only."""
    tables = [entry["block"] for entry in entries if entry["block"].type == "table"]
    return any(len(_layout(table)["columns"]) > _WIDE for table in tables)


def _arrange(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the sentences that open a section beside its first figure, where that stands alone."""
    kinds = [entry["block"].type for entry in entries]
    told = next((place for place, kind in enumerate(kinds) if kind != "text"), len(kinds))
    if told and kinds[told : told + 2] in (["figure"], ["figure", "table"], ["figure", "heading"], ["figure", "text"]):
        lead = 1 if entries[0]["block"].role == "lead" else 0
        if told > lead:
            return {"lead": entries[:lead], "beside": entries[lead : told + 1], "rows": _rows(entries[told + 1 :])}
    return {"lead": [], "beside": [], "rows": _rows(entries)}


def _rows(entries: list[dict[str, Any]]) -> list[list[list[dict[str, Any]]]]:
    """Return rows of cards, a card being a block, or a heading with its figure; figures in sequence share a row."""
    kinds = [entry["block"].type for entry in entries]
    rows: list[list[list[dict[str, Any]]]] = []
    place, before = 0, 0
    while place < len(entries):
        size = 2 if kinds[place : place + 2] == ["heading", "figure"] else 1
        card = entries[place : place + size]
        drawn = size if kinds[place + size - 1] == "figure" else 0
        if drawn and drawn == before:
            rows[-1].append(card)
        else:
            rows.append([card])
        before, place = drawn, place + size
    return rows


def _layout(table: Table) -> dict[str, Any]:
    """Return how a table is laid out: classes per column, and its rows by the groups its first column names.

    A first column that repeats itself down the rows becomes headings between them, which leaves room for the numbers.
    """
    first = [row[0].text for row in table.rows]
    changes = sum(text != before for text, before in pairwise(first))
    grouped = (
        len(table.columns) > 2
        and table.columns[0].kind == table.columns[1].kind == "text"
        and changes + 1 == len(set(first))
        and 2 * len(set(first)) <= len(first)
    )
    cut = 1 if grouped else 0
    groups: list[dict[str, Any]] = []
    for row in table.rows:
        if not groups or (grouped and groups[-1]["title"] != row[0].text):
            groups.append({"title": row[0].text if grouped else "", "rows": []})
        groups[-1]["rows"].append(list(enumerate(row))[cut:])
    columns = list(enumerate(table.columns))[cut:]
    return {
        "columns": columns,
        "groups": groups,
        "classes": [_column_class(table, place) for place in range(len(table.columns))],
        "heads": table.columns[cut].kind == "text",
        "slim": all(_halves(row[cut].text) <= _SLIM for row in table.rows),
        "first": cut,
        "size": "wide tight"
        if len(columns) > _TIGHT
        else "wide"
        if len(columns) > _WIDE
        else "dense"
        if len(columns) > _DENSE
        else "",
    }


def _column_class(table: Table, place: int) -> str:
    column = table.columns[place]
    cells = [row[place] for row in table.rows]
    absent = bool(cells) and all(cell.value is None for cell in cells)
    if column.kind in _NUMERIC or any(cell.kind in _NUMERIC for cell in cells) or (place and absent):
        return "number"
    longest = max((_halves(cell.text) for cell in cells), default=0)
    return "short" if place and longest <= _SHORT else ""


def _halves(text: str) -> int:
    return sum(2 if mark > "\u2e80" else 1 for mark in text)


def _draw(figure: Figure) -> Mapping[str, Any]:
    import markupsafe

    svg, width = picture(figure.svg, figure.title, figure.alt, figure.id)
    return {"svg": markupsafe.Markup(svg), "width": math.ceil(width)}


def _css_text(text: str) -> str:
    """Return a text as it may stand inside a string of a style sheet."""
    return "".join(mark if mark.isalnum() else f"\\{ord(mark):06x}" for mark in text)


def _kind_of(cell: Cell, column: Column) -> str:
    return cell.kind or column.kind


def _cell_class(cell: Cell, column_class: str) -> str:
    absent = "absent" if cell.value is None else ""
    light = f"light {cell.light}" if cell.light in LIGHTS else ""
    return " ".join(filter(None, (column_class, absent, light)))
