"""A tiny font that only knows how wide characters are, so that pictures come out the same on every machine.

A picture keeps its text as text; the reader's own fonts draw it. But the room it needs is measured where the picture is
made, and a server without a Chinese font takes a Chinese character for three quarters of its width: labels are cut off.
This font has a box for every character: full width for Chinese, the published Helvetica widths for Latin letters and
digits. It is named first in every picture; readers don't have it and go on to the next name.

The file ships in ``resources/fonts``; a test rebuilds it with `build_font` and compares the bytes.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["FAMILY", "build_font"]

FAMILY = "SvcWidths"

# Adobe Font Metrics of Helvetica, in thousandths of the size, for the characters 32-126.
_LATIN = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
_OTHERS = {"·": 278, "±": 584, "×": 584, "–": 556, "—": 1000, "−": 584, "≥": 549, "≤": 549, "…": 1000, "°": 400}
# Chinese, kana, hangul, full-width forms, their punctuation, and the shapes of the lights.
_FULL = ((0x2E80, 0xA4CF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFE30, 0xFE4F), (0xFF00, 0xFFEF), (0x20000, 0x3FFFD))
_SHAPES = (0x25A0, 0x25FF)
# Common sans-serif faces run up to a twentieth wider than Helvetica; too much room shows less than too little.
_SAFETY = 1.05


def build_font(path: Path) -> None:
    """Write the font of widths to `path` (needs fontTools, a development dependency); the same bytes every time."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

    widths = {chr(32 + place): width for place, width in enumerate(_LATIN)} | _OTHERS
    widths |= {chr(code): 556 for code in range(0xC0, 0x250) if chr(code) not in widths}
    widths = {character: round(width * _SAFETY) for character, width in widths.items()}
    glyphs = {f"w{width}": width for width in sorted(set(widths.values()))} | {"full": 1000}
    mapping = {ord(character): f"w{width}" for character, width in widths.items()}
    for first, last in (*_FULL, _SHAPES):
        mapping |= dict.fromkeys(range(first, last + 1), "full")

    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *glyphs])
    # Only format 13 maps whole ranges to one glyph, which keeps the file at a few kilobytes.
    table = CmapSubtable.newSubtable(13)
    table.platformID, table.platEncID, table.language, table.cmap = 3, 10, 0, mapping
    builder.setupCharacterMap({})
    builder.font["cmap"].tables = [table]
    advances = {".notdef": 1000, **glyphs}
    outlines = {}
    for name, width in advances.items():
        pen = TTGlyphPen(None)  # a glyph without an outline is taken for missing
        pen.moveTo((0, 0))
        for corner in ((0, 700), (width, 700), (width, 0)):
            pen.lineTo(corner)
        pen.closePath()
        outlines[name] = pen.glyph()
    builder.setupGlyf(outlines)
    builder.setupHorizontalMetrics({name: (width, 0) for name, width in advances.items()})
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    # The renderer passes over a font without a PostScript name.
    builder.setupNameTable({"familyName": FAMILY, "styleName": "Regular", "psName": FAMILY})
    builder.setupOS2(sTypoAscender=880, sTypoDescender=-120, usWinAscent=880, usWinDescent=120)
    builder.setupPost(keepGlyphNames=False)
    builder.font["head"].created = builder.font["head"].modified = 0
    builder.font.recalcTimestamp = False
    builder.save(path)
