"""From an executed notebook to the blocks it showed, in order: what page and workbook are rendered from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from svcanalytics.charts.characters import readable_json
from svcanalytics.errors import PublishError
from svcanalytics.report.blocks import MIME, Blocks, Document, Figure, Heading, Proof, Table, Text, from_json

__all__ = ["Content", "extract"]

Block = Heading | Text | Table | Figure

_ANCHOR = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Content:
    """A report's head, its blocks, each with an id of its own, and the bare figures behind them."""

    document: Document
    blocks: tuple[Block, ...]
    figures: tuple[Mapping[str, Any], ...] = ()

    def tables(self) -> list[Table]:
        """Return all tables in reading order, with those behind figures."""
        found = []
        for block in self.blocks:
            if isinstance(block, Table):
                found.append(block)
            elif isinstance(block, Figure) and block.data:
                found.append(block.data)
        return found


def extract(notebook: Mapping[str, Any], language: str, where: str) -> Content:
    """Collect the blocks among a notebook's outputs.

    Parameters
    ----------
    notebook : mapping
        The executed notebook's JSON.
    language : str
        The language it was asked for.
    where : str
        The notebook's name, for messages.

    Raises
    ------
    PublishError
        When an output is no sound block, the head is missing, or the report is in another language than asked for.
    """
    document, blocks, figures = None, [], []
    for index, cell in enumerate(notebook["cells"]):
        for output in cell.get("outputs", []):
            data = output.get("data", {}).get(MIME)
            if data is None:
                continue
            try:
                items = list(_flatten(from_json(readable_json(data, leave=("svg",)))))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise PublishError(f"no sound block: {error}", where=f"{where}, cell {index + 1}") from None
            for item in items:
                if isinstance(item, Proof):
                    figures += item.figures
                elif not isinstance(item, Document):
                    blocks.append(item)
                elif document is None:
                    document = item
    if document is None:
        raise PublishError("the notebook shows no Document block", where=where, fix="let a cell show the report's head")
    if document.language != language:
        raise PublishError(f"the report is in {document.language!r}, not in {language!r}", where=where)
    return Content(document, tuple(_identified(blocks)), tuple(figures))


def _flatten(block: Any) -> Iterator[Any]:
    if isinstance(block, Blocks):
        for item in block:
            yield from _flatten(item)
    else:
        yield block


def _identified(blocks: list[Block]) -> Iterator[Block]:
    seen: set[str] = set()

    def unique(id: str, otherwise: str) -> str:
        stem = id if _ANCHOR.fullmatch(id) else otherwise
        name, number = stem, 1
        while name.casefold() in seen:
            number += 1
            name = f"{stem}_{number}"
        seen.add(name.casefold())
        return name

    for place, block in enumerate(blocks, 1):
        if isinstance(block, Heading):
            yield replace(block, id=unique(f"s-{block.id}" if block.id else "", f"s-{place}"))
        elif isinstance(block, Table):
            yield replace(block, id=unique(block.id, f"table_{place}"))
        elif isinstance(block, Figure):
            figure = replace(block, id=unique(block.id, f"figure_{place}"))
            if figure.data:
                figure = replace(figure, data=replace(figure.data, id=unique(figure.data.id, f"{figure.id}_data")))
            yield figure
        else:
            yield block
