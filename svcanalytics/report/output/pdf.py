"""The PDF: the page on paper, with its Chinese text or a clear word about the font that lacks."""

from __future__ import annotations

import logging
import re
import unicodedata
from pathlib import Path

from svcanalytics.errors import PublishError

__all__ = ["read_pdf", "write_pdf"]

_MISSING = ".notdef glyph rendered"
_CODE = re.compile(r"\(U\+([0-9A-F]+)\)")
_SIGNS = frozenset(("So", "Sk", "Sm", "Sc", "Cf", "Cn", "Mn", "Me"))  # emoji newer than this Python are Cn


def write_pdf(page: str, path: Path) -> dict[int, str]:
    """Write a page as PDF.

    Parameters
    ----------
    page : str
        The HTML of a report, as `page.render` gives it.
    path : Path
        The file to write.

    Returns
    -------
    dict of int to str
        What stands in the file for signs, such as emoji, that no font of this machine has; as `str.translate` takes it.

    Raises
    ------
    PublishError
        When the extra ``pdf`` is not installed, or a letter of the text is in no font of this machine.
    """
    try:
        import weasyprint  # noqa: F401 - so that its absence is told apart from what it does
    except (ImportError, OSError) as error:
        raise PublishError(
            f"PDF can't be written here ({error})",
            fix='install it with pip install "svcanalytics[pdf]", and Pango (Debian: libpangoft2-1.0-0)',
        ) from None
    missing = _print(page, path)
    signs = {ord(char): f"[U+{ord(char):X}]" for char in missing if unicodedata.category(char) in _SIGNS}
    if signs:
        # An emoji in a customer's words is no reason to publish nothing: its number stands for it.
        missing = _print(page.translate(signs), path)
    if missing:
        raise PublishError(
            f"no font of this machine has {missing[0]!r} (U+{ord(missing[0]):X})",
            where=path.name,
            fix="install a font with Chinese, such as Debian's fonts-noto-cjk, and publish again",
        )
    return signs


def _print(page: str, path: Path) -> list[str]:
    """Write the file and return the characters that no font has."""
    import weasyprint

    log, listener = logging.getLogger("weasyprint"), _Listener()
    log.addHandler(listener)
    try:
        # A page fetches nothing, and must not be able to.
        weasyprint.HTML(string=page, url_fetcher=_refuse).write_pdf(str(path))
    finally:
        log.removeHandler(listener)
    return listener.missing


def read_pdf(path: Path) -> list[str]:
    """Return the text of each page of a PDF."""
    import pypdf

    with path.open("rb") as file:
        return [page.extract_text() for page in pypdf.PdfReader(file).pages]


def _refuse(url: str, *_: object, **__: object) -> dict[str, object]:
    raise ValueError(f"a report fetches nothing: {url[:80]}")


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.missing: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message.startswith(_MISSING):
            self.missing += [chr(int(code, 16)) for code in _CODE.findall(message)]
