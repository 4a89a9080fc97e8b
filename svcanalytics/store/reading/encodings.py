"""The encoding of a text file, decided over the whole file, and its copy in UTF-8 where it has another."""

from __future__ import annotations

import codecs
from pathlib import Path

from svcanalytics.errors import LoadError

__all__ = ["as_utf8", "find_encoding", "head"]

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BLOCK = 1 << 22
# Python's own way to carry bytes over knows no UTF-16 and UTF-32: a byte that is no UTF-8 stands for what broke there.
codecs.register_error("svcanalytics.carry", lambda error: ("\udcff", error.end))
_ASCII = bytes(range(128))


def find_encoding(path: Path) -> str:
    """Return the Python name of a file's encoding: by its mark, else UTF-8, UTF-16, GB18030 or Windows-1252.

    A file with a few broken bytes in otherwise good UTF-8 stays UTF-8: its broken rows are rejected one by one.
    """
    with path.open("rb") as file:
        start = file.read(4096)
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    # ASCII text in UTF-16 without a mark has a zero in every other byte.
    if start.count(0) > len(start) // 4:
        return "utf-16-le" if start[1::2].count(0) >= start[::2].count(0) else "utf-16-be"
    high, broken = _count_utf8(path)
    if broken <= high // 10:  # of GBK read as UTF-8 a third is broken at least
        return "utf-8"
    return "gb18030" if _looks_chinese(path) else "cp1252"


def as_utf8(path: Path, encoding: str, work: Path) -> Path:
    """Return a UTF-8 file with ``\\n`` or ``\\r\\n`` line ends: the file itself, or a copy in `work`.

    Bytes that the encoding doesn't know are carried over as they are, so that the row is rejected, not repaired.

    Raises
    ------
    LoadError
        When the encoding is unknown.
    """
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise LoadError(f"unknown encoding {encoding!r}", where=path.name, fix="use utf-8, utf-16 or gb18030") from None
    if name in ("utf-8", "ascii", "utf-8-sig") and not _old_line_ends(path):
        return path
    copy = work / f"{path.name}.utf8"
    # GBK files from Windows hold GB18030 characters as well; the larger set reads both.
    name = "gb18030" if name in ("gb2312", "gbk", "cp936") else name
    plain = _old_line_ends(path)
    broken = "svcanalytics.carry" if name.startswith(("utf-16", "utf-32")) else "surrogateescape"
    with path.open("r", encoding=name, errors=broken, newline="") as source, copy.open("wb") as target:
        while block := source.read(_BLOCK):
            block = block.replace("\r", "\n") if plain else block
            target.write(block.encode("utf-8", "surrogateescape"))
    return copy


def head(path: Path, size: int = 1 << 18) -> str:
    """Return the first characters of a UTF-8 file, without a byte-order mark."""
    with path.open("rb") as file:
        return file.read(size).decode("utf-8", "surrogateescape").removeprefix("\ufeff")


def _old_line_ends(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(_BLOCK)
    return b"\r" in start and b"\n" not in start


def _count_utf8(path: Path) -> tuple[int, int]:
    """Count bytes beyond ASCII, and places where they are no UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    high = broken = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            high += len(block.translate(None, _ASCII))
            broken += decoder.decode(block).count("\ufffd")
    return high, broken


def _looks_chinese(path: Path) -> bool:
    """Tell GBK from a Western code page: GBK's high bytes stand in pairs, accented letters stand alone."""
    with path.open("rb") as file:
        sample = file.read(1 << 20)
    alone = paired = run = 0
    for byte in sample:
        if byte > 0x7F:
            run += 1
            continue
        if run == 1:
            alone += 1
        elif run:
            paired += run
        run = 0
    return paired > alone
