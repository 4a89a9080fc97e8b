"""XES event logs (IEEE 1849): one row per event, the case's attributes beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from svcanalytics.errors import LoadError
from svcanalytics.store.reading.headers import unique_names
from svcanalytics.store.reading.staging import Stage

__all__ = ["read_xes"]

_SIMPLE = ("string", "date", "int", "float", "boolean", "id")
_BLOCK = 1 << 18


def read_xes(stage: Stage, path: Path, name: str) -> None:
    """Read an event log into the stage.

    Columns are the keys of traces, with ``case:`` before them, and of events, and ``event:index``, the event's place in
    its trace from 0: XES orders events by place, not by time. ``_line`` is different for every event. A log that breaks
    off keeps the events before the break; the event it broke in is rejected.

    Raises
    ------
    LoadError
        When the file is no XES at all, or tries to define entities.
    """
    import defusedxml

    target = _Target()
    rejects = []
    try:
        _feed(path, target)
    except defusedxml.DefusedXmlException:
        raise LoadError("defines entities, which may be an attack", where=name, fix="remove its DOCTYPE") from None
    except SyntaxError as error:
        if not target.rows:
            raise LoadError("not a readable XES event log", where=name, fix="check that it is the right file") from None
        line = getattr(error, "position", (0, 0))[0]
        rejects.append((name, target.begun or line, "", "the log breaks off here", ""))
    names = list(target.columns)
    labels = unique_names([*names, "event:index"])
    stage.add_rows(name, labels, _texts(target.rows, names))
    stage.reject(rejects)


def _texts(rows: list[tuple[int, int, dict[str, str], dict[str, str]]], names: list[str]) -> Iterator[tuple[int, list]]:
    for line, index, event, trace in rows:
        held = {**trace, **event}
        yield line, [*(held.get(name) for name in names), str(index)]


def _feed(path: Path, target: _Target) -> None:
    from defusedxml.ElementTree import DefusedXMLParser

    parser = DefusedXMLParser(target=target, forbid_dtd=False)
    target.expat = parser.parser
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            parser.feed(block)
    parser.close()


class _Target:
    """Takes the parser's elements; keeps one trace in hand, never the tree."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, dict[str, str], dict[str, str]]] = []
        self.columns: dict[str, None] = {}
        self.begun = 0
        self.expat: Any = None
        self._trace: dict[str, str] | None = None
        self._event: dict[str, str] | None = None
        self._index = 0
        self._depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition("}")[2]
        if kind == "trace":
            self._trace, self._index = {}, 0
        elif kind == "event":
            # A log without line breaks has all its events on one line: they are numbered on from there.
            last = self.rows[-1][0] if self.rows else 0
            self._event, self.begun = {}, max(self.expat.CurrentLineNumber, last + 1)
        elif kind in _SIMPLE:
            # Attributes may be nested in attributes; only those of trace and event themselves are columns.
            self._depth += 1
            if self._depth == 1 and "key" in attributes:
                self._keep(attributes["key"], attributes.get("value", ""))

    def _keep(self, key: str, value: str) -> None:
        if self._event is not None:
            self._event[key] = value
            self.columns.setdefault(key)
        elif self._trace is not None:
            self._trace[f"case:{key}"] = value
            self.columns.setdefault(f"case:{key}")

    def end(self, tag: str) -> None:
        kind = tag.rpartition("}")[2]
        if kind in _SIMPLE:
            self._depth -= 1
        elif kind == "event":
            self.rows.append((self.begun, self._index, self._event or {}, self._trace or {}))
            self._event, self.begun, self._index = None, 0, self._index + 1
        elif kind == "trace":
            self._trace = None

    def close(self) -> None:
        """Nothing is left to hand over."""
