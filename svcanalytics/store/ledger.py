"""The lake's own books, kept as tables of the lake: they become visible together with the rows they describe.

``loads`` has one row per load, ``quarantine`` one per input row that could not be stored.
"""

from __future__ import annotations

from functools import cache

from svcanalytics.store.contract import Column, Table, contract

__all__ = ["INTERNAL", "schema", "table_names"]

_LOADS = {
    "load_id": ("text", "The load", "装载批次"),
    "at": ("timestamp", "When it became visible", "生效时间"),
    "source": ("text", "The source mapping", "数据源"),
    "name": ("text", "The file's name, masked", "文件名(已脱敏)"),
    "sha256": ("text", "Hash of the original", "原始文件摘要"),
    "mapping": ("text", "Hash of the mapping", "映射摘要"),
    "landing": ("text", "Where the original lies: a folder inside the landing folder", "原始文件在着陆区的文件夹"),
    "before": ("integer", "The snapshot the load began from", "装载前的快照"),
    "read": ("integer", "Input rows", "读入行数"),
    "new": ("integer", "Rows that were new", "新增行数"),
    "updated": ("integer", "Rows that changed a stored row", "更新行数"),
    "unchanged": ("integer", "Rows that were stored already", "未变行数"),
    "quarantined": ("integer", "Rows put into quarantine", "隔离行数"),
    "tables": ("json", "The same numbers per table", "各表的行数"),
    "confirmed": (
        "json",
        "Earlier loads whose rows this one brought again: number of rows",
        "再次收到其行的早前批次",
    ),
    "status": ("text", "loaded, or undone", "状态:已装载或已撤销"),
}
_QUARANTINE = {
    "load_id": ("text", "The load", "装载批次"),
    "item": ("integer", "Number of the entry within the load", "批次内序号"),
    "at": ("timestamp", "When it was put here", "隔离时间"),
    "source": ("text", "The source mapping", "数据源"),
    "sha256": ("text", "Hash of the original", "原始文件摘要"),
    "table": ("text", "The table the row was meant for", "目标表"),
    "file": ("text", "The file inside the original, masked", "原始文件内的文件名(已脱敏)"),
    "line": ("integer", "The line or row in that file", "行号"),
    "column": ("text", "The column that broke the contract", "不合规的列"),
    "reason": ("text", "Why, masked", "原因(已脱敏)"),
    "text": ("text", "The row, masked", "原始行(已脱敏)"),
}


INTERNAL = ("loads", "quarantine")


@cache
def _internal() -> dict[str, Table]:
    month = {"month_key": contract().tables["cases"].common["month_key"]}
    described = (
        ("loads", _LOADS, ("load_id",), "Loads", "装载记录", {"en": "one load", "zh": "一次装载"}),
        (
            "quarantine",
            _QUARANTINE,
            ("load_id", "item"),
            "Quarantine",
            "隔离区",
            {"en": "one row", "zh": "一行"},
        ),
    )
    return {
        name: Table(name, en, zh, row, key, "", _columns(spec, key), month, {}, ())
        for name, spec, key, en, zh, row in described
    }


def _columns(spec: dict[str, tuple[str, str, str]], key: tuple[str, ...]) -> dict[str, Column]:
    return {
        name: Column(name, type_, en, zh, zh.split("(")[0], null=name not in key)
        for name, (type_, en, zh) in spec.items()
    }


def schema(name: str) -> Table:
    """Return a table of the contract, or one of the lake's own books.

    Raises
    ------
    ContractError
        When there is no such table.
    """
    return _internal()[name] if name in INTERNAL else contract()[name]


def table_names() -> tuple[str, ...]:
    """Return the names of every table a lake can hold."""
    return (*contract().tables, *INTERNAL)
