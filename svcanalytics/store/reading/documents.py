"""JSON: lines of objects, a list of them, or an object that holds one list, as REST exports do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from svcanalytics.errors import LoadError
from svcanalytics.store.reading.encodings import as_utf8, find_encoding
from svcanalytics.store.reading.formats import FileFormat
from svcanalytics.store.reading.headers import unique_names
from svcanalytics.store.reading.staging import Reject, Stage
from svcanalytics.store.reading.values import as_text

__all__ = ["read_json"]

Record = tuple[int, dict[str, Any]]


def read_json(stage: Stage, path: Path, name: str, layout: FileFormat) -> None:
    """Read JSON into the stage: nested objects become ``outer.inner`` columns, lists stay JSON text.

    ``_line`` is the line, or the position in the list. Lines that are no JSON object are rejected.
    """
    encoding = find_encoding(path) if layout.encoding == "auto" else layout.encoding
    text = as_utf8(path, encoding, stage.work)
    rejects: list[Reject] = []
    records = list(_lines(text, name, rejects) if _is_lines(text) else _list(text, name, rejects))
    keys: dict[str, None] = {}
    flat = [(line, _flatten(record)) for line, record in records]
    for _, record in flat:
        keys.update(dict.fromkeys(record))
    names = unique_names(list(keys))
    stage.add_rows(name, names, ((line, [record.get(key) for key in keys]) for line, record in flat))
    stage.reject(rejects)


def _is_lines(path: Path) -> bool:
    """Tell lines of objects from one document: the first line stands for itself."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first = next((line for line in file if line.strip()), "")
        second = next((line for line in file if line.strip()), "")
    try:
        return isinstance(json.loads(first), dict) and (bool(second) or not _holds_list(json.loads(first)))
    except ValueError:
        return first.lstrip().startswith("{") and second.lstrip().startswith("{")


def _lines(path: Path, name: str, rejects: list[Reject]) -> Iterator[Record]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                line.encode("utf-8")
            except ValueError:
                rejects.append((name, number, "", "not a JSON object", line.rstrip("\r\n")))
                continue
            if isinstance(record, dict):
                yield number, record
            else:
                rejects.append((name, number, "", "not a JSON object", line.rstrip("\r\n")))


def _list(path: Path, name: str, rejects: list[Reject]) -> Iterator[Record]:
    try:
        document = json.loads(path.read_text("utf-8-sig"))
    except ValueError as error:
        raise LoadError(
            "not valid JSON", where=f"{name}, line {getattr(error, 'lineno', 1)}", fix="fetch it again"
        ) from None
    found = document if isinstance(document, list) else _holds_list(document)
    for position, record in enumerate([document] if found is None else found, start=1):
        if isinstance(record, dict):
            yield position, record
        else:
            rejects.append((name, position, "", "not a JSON object", json.dumps(record, ensure_ascii=False)))


def _holds_list(document: Any) -> list[Any] | None:
    """Return the list of objects that an export wraps, ``{"tickets": [...], "next_page": null}``."""
    lists = [v for v in document.values() if isinstance(v, list) and v and all(isinstance(item, dict) for item in v)]
    scalars = sum(1 for v in document.values() if not isinstance(v, (list, dict)) and v is not None)
    return lists[0] if len(lists) == 1 and scalars <= 5 else None


def _flatten(record: dict[str, Any], prefix: str = "") -> dict[str, str | None]:
    out: dict[str, str | None] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            out.update(_flatten(value, f"{prefix}{key}."))
        else:
            out[f"{prefix}{key}"] = as_text(value)
    return out
