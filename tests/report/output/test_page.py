from __future__ import annotations

from html.parser import HTMLParser

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.charts.characters import readable
from svcanalytics.errors import PublishError
from svcanalytics.report.blocks import Cell, Column, Document, Figure, Heading, Table, Text
from svcanalytics.report.output import page, workbook
from svcanalytics.report.output.extraction import extract
from svcanalytics.report.output.gate import faults
from svcanalytics.report.output.pictures import picture

IMPRINT = page.Imprint(
    "示范机构", "2026年第10期", "2026年10月", "第1版", "2026年11月5日 09:30", "7", "全部", False, "0"
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 100"><text x="3" y="9">一 &lt;b&gt;</text></svg>'
HOSTILE = (
    "<script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1",
    "-2+3",
    "\t=1+1",
    "{{ 7 * 7 }}{% raw %}",
    "http://example.org/track.png",
    "javascript:alert(1)",
    "\u202etxt.exe\u2066",
    "nul\x00bell\x07esc\x1b[31m",
    "_x0041_ &amp; &lt;",
    "长" * 10_000,
)


def blocks_of(text: str) -> list:
    columns = (Column("a", text[:200]), Column("b", "n", "integer"), Column("c", "c"))
    rows = (
        (Cell(text, text), Cell(3, "3"), Cell(text, text, "red")),
        (Cell(None, text), Cell(None, text), Cell("", "")),
    )
    return [
        Document(text[:300], "zh", text[:300], ((text[:50], text[:300]),), (text,)),
        Heading(text[:100], 2),
        Text(text, "lead"),
        Table("same", text[:100], columns, rows, text),
        Figure("same", text[:100], text[:300], SVG, Table("same", text, columns, rows)),
        Heading(text[:100], 3),
        Text(text, "note"),
    ]


def content_of(blocks: list, language: str = "zh"):
    mime = "application/vnd.svcanalytics.block+json"
    outputs = [{"output_type": "display_data", "data": {mime: block.to_json()}} for block in blocks]
    return extract({"cells": [{"outputs": outputs}]}, language, "test")


def render(blocks: list, language: str = "zh") -> str:
    return page.render(content_of(blocks, language), IMPRINT, where="test", workbook="report.xlsx")


class Reader(HTMLParser):
    """Read a page independently of the package: tags, all text, and table cells as (machine value, text)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text: list[str] = []
        self.tables: dict[str, list[list[tuple[str | None, str]]]] = {}
        self._rows: list | None = None
        self._cell: list | None = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "table":
            self._rows = self.tables.setdefault(given["id"], [])
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._cell = [None, ""]
        elif tag in ("data", "time"):
            self._cell[0] = given.get("value", given.get("datetime"))

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._rows[-1].append(tuple(self._cell))
            self._cell = None

    def handle_data(self, data):
        self.text.append(data)
        if self._cell is not None:
            self._cell[1] += data


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_arrives_as_text_on_the_page_and_in_the_workbook(text, tmp_path):
    blocks = blocks_of(text)
    rendered = render(blocks)
    reader = Reader(rendered)
    shown = readable(text)
    assert "".join(reader.text).count(shown) >= 8
    allowed = {tag for tag, _ in Reader(render(blocks_of("harmless"))).tags}
    assert {tag for tag, _ in reader.tags} == allowed
    assert not any(key.startswith("on") for _, given in reader.tags for key in given)
    assert all(
        given["href"].startswith("#") or given["href"] == "report.xlsx" for _, given in reader.tags if "href" in given
    )

    book = write(blocks, tmp_path)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    assert sum(cell.value == shown for cell in cells) >= 6
    assert not any(cell.hyperlink and cell.hyperlink.target for cell in cells)


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_any_text_leaves_the_page_fit_to_be_published(text):
    reader = Reader(render(blocks_of(text)))
    assert readable(text) in "".join(reader.text)


def test_every_number_in_the_workbook_equals_the_page_s(tmp_path):
    values = {
        "integer": (24918, "24,918"), "number": (-3.25, "−3.3"), "rate": (0.6341625, "63.4%"),
        "points": (0.0123, "+1.2"), "percent": (-0.034, "−3.4%"), "duration": (7980, "2小时13分"),
        "date": ("2026-10-31", "2026年10月31日"),
    }  # fmt: skip
    columns = (Column("name", "名称"), *(Column(kind, kind, kind) for kind in values), Column("mixed", "mixed", "rate"))
    row = (Cell("甲", "甲"), *(Cell(*pair) for pair in values.values()), Cell(-420, "−7分", kind="duration"))
    absent = (Cell("乙", "乙"), *(Cell(None, "无同期数据") for _ in columns[1:]))
    table = Table("numbers", "数字", columns, (row, absent), "注")
    blocks = [Document("题", "zh"), Figure("f", "图", "描述", SVG, table), table]
    tables = Reader(render(blocks)).tables
    book = write(blocks, tmp_path)
    sheets = [sheet for sheet in book if sheet.tables]
    assert len(tables) == len(sheets) == 2
    for html, sheet in zip(tables.values(), sheets, strict=True):
        (area,) = sheet.tables.values()
        for html_row, cells in zip(html, sheet[area.ref], strict=True):
            for column, (value, text), cell in zip(columns, html_row, cells, strict=True):
                if value is None:
                    assert (cell.value, cell.data_type) == (text, "s")
                elif column.kind == "date":
                    assert cell.value.date().isoformat() == value
                else:
                    scale = 100 if column.kind == "points" else 1
                    assert (cell.data_type, cell.value) == ("n", float(value) * scale)


def test_a_first_column_that_repeats_itself_becomes_headings_and_no_number_is_lost(tmp_path):
    columns = (Column("family", "Family"), Column("name", "Measure"), Column("n", "n", "integer"))
    named = [("A", "a", 1), ("A", "b", 2), ("B", "c", 3), ("B", "d", 4)]
    rows = [tuple(Cell(value, str(value)) for value in row) for row in named]
    for order, headings in (([0, 1, 2, 3], ["A", "B"]), ([0, 2, 1, 3], [])):
        table = Table("t", "t", columns, tuple(rows[place] for place in order))
        reader = Reader(render([Document("x", "en"), table], "en"))
        found = [attrs for tag, attrs in reader.tags if attrs.get("scope") == "rowgroup"]
        assert len(found) == len(headings)
        numbers = [value for row in reader.tables["t"] for value, _ in row if value]
        assert numbers == [str(rows[place][2].value) for place in order]
        book = write([Document("x", "en"), table], tmp_path, "en")
        assert [[cell.value for cell in row] for row in book["t"]["A5:C8"]] == [list(named[place]) for place in order]


def test_figures_that_follow_one_another_stand_side_by_side_and_the_first_sentences_beside_their_picture():
    figure = Figure("f", "t", "a", SVG)
    sections = page._sections(
        content_of(
            [
                Document("x", "zh"),
                *(Heading("1"), Text("lead", "lead"), Text("more"), figure),
                *(Heading("2"), figure, figure, Text("x"), Heading("a", 3), figure, Heading("b", 3), figure),
            ]
        )
    )
    first, second = sections
    assert [len(first[part]) for part in ("lead", "beside", "rows")] == [1, 2, 0]
    assert [[len(card) for card in row] for row in second["rows"]] == [[1, 1], [1], [2, 2]]


def test_tables_of_the_workbook_have_names_and_headers_excel_accepts(tmp_path):
    same = (Column("a", "Same"), Column("b", "same"), Column("c", "A\nB"))
    many = [Table(f"t{n}", "History" if n else "[]:*?/\\'", same, ()) for n in range(3)]
    book = write([Document("x", "en"), *many], tmp_path, "en")
    names = [name for sheet in book for name in sheet.tables]
    assert len({name.casefold() for name in names}) == 3
    for sheet in book:
        assert len(sheet.title) <= 31
        for table in sheet.tables.values():
            headers = [column.name for column in table.tableColumns]
            assert headers == [cell.value for cell in sheet[table.ref][0]]
            assert len({header.casefold() for header in headers}) == 3


def test_text_longer_than_a_cell_can_hold_is_cut_and_says_so(tmp_path):
    book = write(
        [Document("x", "zh"), Table("t", "t", (Column("a", "a"),), ((Cell("𠮷" * 20_000, "𠮷" * 20_000),),))], tmp_path
    )
    (value,) = [cell.value for row in book["t"].iter_rows() for cell in row if cell.value and len(cell.value) > 1000]
    assert len(value.encode("utf-16-le")) // 2 <= 32_767
    assert "过长" in value[-30:]


def test_a_page_names_its_language_and_every_picture_has_a_title_a_description_and_its_numbers():
    reader = Reader(render(blocks_of("题")))
    given = dict(reader.tags)
    assert given["html"]["lang"] == "zh-CN"
    assert [tag for tag, _ in reader.tags].count("h1") == 1
    svg = next(attrs for tag, attrs in reader.tags if tag == "svg")
    ids = {attrs.get("id") for _, attrs in reader.tags}
    assert svg["role"] == "img" and set(svg["aria-labelledby"].split()) <= ids
    assert {"details", "summary", "figcaption"} <= {tag for tag, _ in reader.tags}
    assert all(attrs.get("scope") for tag, attrs in reader.tags if tag == "th")
    links = [attrs["href"][1:] for tag, attrs in reader.tags if tag == "a" and attrs["href"].startswith("#")]
    assert set(links) <= ids


@pytest.mark.parametrize(
    "harm",
    [
        "<script>1</script>",
        '<img src="data:image/png;base64,AA">',
        '<img alt="x" src="https://example.org/x.png">',
        '<a href="//example.org">x</a>',
        '<a href=" java\nscript:alert(1)">x</a>',
        '<p onclick="x()">x</p>',
        '<link rel="stylesheet" href="x.css">',
        '<iframe srcdoc="x"></iframe>',
        "<style>p { background: url(x.png) }</style>",
        "<style>@import 'x.css';</style>",
        '<p style="background:url(http://example.org/x)">x</p>',
        '<meta http-equiv="refresh" content="0;url=x">',
        "<svg></svg>",
        '<h1 id="report">x</h1>',
        "<form></form>",
    ],
)
def test_the_gate_refuses_what_runs_reaches_outside_or_has_no_words(harm):
    sound = render(blocks_of("题"))
    assert faults(sound) == []
    assert faults(sound.replace("</main>", harm + "</main>"))


@pytest.mark.parametrize("part", ['lang="zh-CN"', "<title>", "<h1>", 'http-equiv="Content-Security-Policy"'])
def test_the_gate_refuses_a_page_that_lacks_a_part(part):
    assert faults(render(blocks_of("题")).replace(part, "<p>" if part.startswith("<") else ""))


@pytest.mark.parametrize(
    "inside",
    [
        "<script>1</script>",
        "<foreignObject><p>x</p></foreignObject>",
        '<image href="data:image/png;base64,AA"/>',
        '<g onload="x()"/>',
        '<use href="https://example.org/x.svg#a"/>',
        '<rect fill="url(https://example.org/#a)"/>',
        '<rect style="fill:url(x.svg#a)"/>',
        "<style>@import 'x'</style>",
        '<a href="#x"><text>x</text></a>',
    ],
)
def test_a_picture_that_runs_or_reaches_outside_is_refused(inside):
    with pytest.raises(PublishError):
        picture(SVG.replace("</svg>", inside + "</svg>"), "t", "d", "f")


def test_two_equal_pictures_stand_on_one_page_each_with_ids_of_its_own():
    inside = (
        '<defs><clipPath id="p0"><rect width="9" height="9"/></clipPath></defs><g clip-path="url(#p0)" fill="#p0f"/>'
    )
    figure = Figure("f", "t", "a", SVG.replace("</svg>", inside + "</svg>"))
    reader = Reader(render([Document("x", "zh"), figure, figure]))
    ids = [attrs["id"] for tag, attrs in reader.tags if tag == "clippath"]
    used = [attrs["clip-path"] for tag, attrs in reader.tags if "clip-path" in attrs]
    assert len(set(ids)) == 2 and used == [f"url(#{id})" for id in ids]
    assert {attrs["fill"] for tag, attrs in reader.tags if tag == "g"} == {"#p0f"}


def test_a_picture_with_entities_is_refused():
    with pytest.raises(PublishError):
        picture('<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG.replace("一", "&a;"), "t", "d", "f")


def test_a_report_without_head_in_another_language_or_with_a_broken_block_is_refused():
    with pytest.raises(PublishError, match="Document"):
        content_of([Text("x")])
    with pytest.raises(PublishError, match="'en'"):
        content_of([Document("x", "en")], "zh")
    broken = {"outputs": [{"data": {"application/vnd.svcanalytics.block+json": {"type": "table"}}}]}
    with pytest.raises(PublishError, match="cell 1"):
        extract({"cells": [broken]}, "zh", "test")


def test_colours_of_text_stand_out_from_their_ground():
    """WCAG 2.2: a ratio of 4.5 at least, computed here from the style sheet itself."""
    import re

    from svcanalytics import resources

    sheet = resources.path("templates", "base.css").read_text("utf-8")
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", sheet))
    pairs = [
        ("ink", "paper"),
        ("soft", "paper"),
        ("navy", "paper"),
        ("navy", "faint"),
        ("seal", "paper"),
        ("ink", "faint"),
    ]
    pairs += [(name, f"{name}-paper") for name in ("green", "amber", "red", "grey")]
    for front, back in pairs:
        assert contrast(colours[front], colours[back]) >= 4.5, (front, back)


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
        parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def write(blocks: list, folder, language: str = "zh"):
    from datetime import UTC, datetime

    file = folder / "report.xlsx"
    workbook.write(content_of(blocks, language), IMPRINT, file, datetime(2026, 11, 5, tzinfo=UTC))
    return openpyxl.load_workbook(file)
