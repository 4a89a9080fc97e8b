"""The PDF: the page on paper, with its Chinese text or a clear word about the font that lacks."""

from __future__ import annotations

import logging
from pathlib import Path

from svcanalytics.errors import PublishError

__all__ = ["read_pdf", "write_pdf"]

_MISSING = ".notdef glyph rendered"


def write_pdf(page: str, path: Path) -> None:
    """Write a page as PDF.

    Parameters
    ----------
    page : str
        The HTML of a report, as `page.render` gives it.
    path : Path
        The file to write.

    Raises
    ------
    PublishError
        When the extra ``pdf`` is not installed, or a character of the text is in no font of this machine.
    """
    try:
        import weasyprint
    except (ImportError, OSError) as error:
        raise PublishError(
            f"PDF can't be written here ({error})",
            fix='install it with pip install "svcanalytics[pdf]", and Pango (Debian: libpangoft2-1.0-0)',
        ) from None
    log, listener = logging.getLogger("weasyprint"), _Listener()
    log.addHandler(listener)
    try:
        # A page fetches nothing, and must not be able to.
        weasyprint.HTML(string=page, url_fetcher=_refuse).write_pdf(str(path))
    finally:
        log.removeHandler(listener)
    if listener.missing:
        raise PublishError(
            f"no font of this machine has {listener.missing[0]}",
            where=path.name,
            fix="install a font with Chinese, such as Debian's fonts-noto-cjk, and publish again",
        )


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
            self.missing.append(message.rpartition(": ")[2])
