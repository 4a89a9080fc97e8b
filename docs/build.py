"""Write docs/tables.md, docs/metrics.md and docs/standards.md from what the package itself reads.

python docs/build.py            writes them
python docs/build.py --check    says which are out of date; status 1 when any is
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from svcanalytics.store.contract import contract

HERE = Path(__file__).parent
NOTE = "<!-- Written by docs/build.py from the package's own catalogue; edit that, then run `python docs/build.py`. -->"


def tables() -> str:
    """Return docs/tables.md: every table and column with type, rule and meaning."""
    parts = [
        "# The tables",
        NOTE,
        "Only `cases` or `contacts` is needed; every other table switches on what it feeds. Times are stored in UTC; "
        "durations are whole seconds. *masked*: identifiers in the text are masked when it is loaded; *hashed*: "
        "replaced by a keyed hash. Tables marked ✎ have a fill-in workbook: `svcanalytics template TABLE`.",
    ]
    for table in contract().tables.values():
        mark = " ✎" if table.template else ""
        parts.append(f"## {table.name} · {table.zh}{mark}")
        month = f"; a row belongs to the month of `{table.time}`" if table.time else ""
        parts.append(f"One row is {table.row['en']}({table.row['zh']}). Key: {_codes(table.key)}{month}.")
        rows = ((f"`{c.name}`", c.zh_name, _type(c), _rule(c), c.en, c.zh) for c in table.columns.values())
        parts.append(_grid(("column", "中文", "type", "rule", "meaning", "含义"), rows))
    common = next(iter(contract().tables.values())).common
    parts.append("## Columns that every table has")
    rows = ((f"`{c.name}`", c.zh_name, _type(c), c.en, c.zh) for c in common.values())
    parts.append(_grid(("column", "中文", "type", "meaning", "含义"), rows))
    return _page(parts)


def _type(column) -> str:
    return f"{column.type} ({column.unit})" if column.unit else column.type


def _rule(column) -> str:
    rules = [] if column.null else ["required"]
    if column.allowed:
        rules.append(" / ".join(column.allowed))
    if column.min is not None or column.max is not None:
        low, high = ("" if bound is None else f"{bound:g}" for bound in (column.min, column.max))
        rules.append(f"{low}–{high}" if low and high else f"≥ {low}" if low else f"≤ {high}")
    rules += {"mask": ["masked"], "hash": ["hashed"]}.get(column.privacy, [])
    return "; ".join(rules)


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _grid(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"


PAGES = {"tables.md": tables}


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with ``--check`` only compare them."""
    stale = []
    for name, build in PAGES.items():
        file, text = HERE / name, build()
        if not file.exists() or file.read_text("utf-8") != text:
            stale.append(name)
            if "--check" not in arguments:
                file.write_text(text, "utf-8")
    print(f"{'out of date' if '--check' in arguments else 'written'}: {', '.join(stale) or 'nothing'}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
