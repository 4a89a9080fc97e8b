"""Write tables.md, metrics.md, standards.md and sources.md from what the package itself reads.

python docs/build.py            writes them
python docs/build.py --check    says which are out of date; status 1 when any is
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from svcanalytics import metrics, quality
from svcanalytics.metrics import Metric, Standard
from svcanalytics.store.contract import Column, contract
from svcanalytics.store.mapping import mappings
from svcanalytics.store.reading import FileFormat
from svcanalytics.store.rules import ColumnRule, MappingModel, TableRule

HERE = Path(__file__).parent
_MODELS = {"A mapping": MappingModel, "`file`": FileFormat, "A table": TableRule, "A column": ColumnRule}
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


def metric_page() -> str:
    """Return docs/metrics.md: every metric by family, then the index profiles."""
    known = metrics.catalogue().metrics
    parts = [
        "# The metrics",
        NOTE,
        f"{len(known)} metrics in {len(metrics.families())} families. A metric is a ratio of two sums over a view; its "
        "period is that of the column under *at*. *n from* is the smallest n that is published. An organisation adds "
        "its own in `data/catalogue/metrics.toml`, in the form of the shipped file.",
    ]
    for family, names in metrics.families().items():
        parts.append(f"## {names['en']} · {names['zh']} (`{family}`)")
        rows = (_metric(metric) for metric in known.values() if metric.family == family)
        parts.append(_grid(("metric", "名称", "name", "definition", "view", "at", "unit", "target", "n from"), rows))
    parts += ["## Index profiles", "Floor scores 0, target 80, goal 100. Weights are shares of the whole index."]
    for name in quality.profile_names():
        shown = quality.profile(name)
        parts.append(f"### {name}: {shown.name['en']} · {shown.name['zh']}")
        rows = (
            (f"`{m.metric}`", m.family, f"{shown.families[m.family] * m.weight:.2%}", *map(_number, _posts(m)))
            for m in shown.metrics
        )
        parts.append(_grid(("metric", "family", "weight", "floor", "target", "goal"), rows))
    return _page(parts)


def _metric(metric: Metric) -> tuple[str, ...]:
    ratio = metric.numerator if metric.denominator == "true" else f"{metric.numerator} / {metric.denominator}"
    sign = {"up": "≥ ", "down": "≤ "}.get(metric.direction, "")
    target = "" if metric.target is None else sign + _number(metric.target)
    kind = f"q{metric.q:g}" if metric.q is not None else metric.kind
    return (
        f"`{metric.id}`",
        metric.name.zh,
        metric.name.en,
        f"{metric.definition.en} {metric.definition.zh} {kind}: `{ratio}`",
        metric.view,
        metric.at,
        metric.unit,
        target,
        str(metric.min_n),
    )


def _posts(metric: quality.ProfileMetric) -> tuple[float, float, float]:
    return metric.goalposts.floor, metric.goalposts.target, metric.goalposts.goal


def _number(value: float) -> str:
    return f"{value:.10g}"


def standard_page() -> str:
    """Return docs/standards.md: every clock."""
    known = metrics.rulebook().standards
    parts = [
        "# The standards",
        NOTE,
        f"{len(known)} time standards, each a clock from one milestone to another. A clock still running is neither "
        "met nor missed until its limit passes; one that pauses counts net time. Of standards that time the same "
        "thing, the most specific wins. An organisation adds or replaces rows in `data/catalogue/standards.toml`.",
    ]
    for document in dict.fromkeys(standard.document for standard in known.values()):
        parts.append(f"## {document}")
        rows = (_standard(standard) for standard in known.values() if standard.document == document)
        parts.append(_grid(("standard", "名称", "name", "from → to", "limit", "for", "share", "rules"), rows))
    return _page(parts)


def _standard(standard: Standard) -> tuple[str, ...]:
    rules = [
        "by a person" if standard.person else "",
        "no form letter" if standard.answer else "",
        f"{'/'.join(standard.medium)}" if standard.medium else "",
        f"pauses for the {standard.pauses}" if standard.pauses else "",
        f"again and again until {'/'.join(standard.until)}" if standard.repeat else "",
        standard.calendar if standard.calendar != "round_the_clock" else "",
        f"valid {standard.valid_from or '…'} to {standard.valid_to or '…'}" if _dated(standard) else "",
    ]
    clock = "all of " + ", ".join(standard.of) if standard.of else f"{standard.from_} → {' or '.join(standard.to)}"
    return (
        f"`{standard.id}`",
        standard.name.zh,
        standard.name.en,
        clock if standard.table == "cases" else f"{standard.table}: {clock}",
        standard.limit or (f"column {standard.due}" if standard.due else ""),
        f"`{standard.for_}`" if standard.for_ else "all",
        "" if standard.share is None else f"{standard.share:.0%}",
        "; ".join(filter(None, rules)),
    )


def _dated(standard: Standard) -> bool:
    return standard.valid_from is not None or standard.valid_to is not None


def source_page() -> str:
    """Return docs/sources.md: the shipped mappings, and what a mapping may say."""
    shipped = mappings()
    parts = [
        "# Source mappings",
        NOTE,
        "A mapping says how an export becomes rows of the tables. Without `--source` the columns of a file tell "
        "which one fits. An organisation's own stand in `data/sources/`, as TOML, and replace a shipped one of "
        "the same name; [own-data.md](own-data.md) writes one step by step.",
        "## Shipped",
    ]
    rows = (
        (f"`{name}`", each.title.get("zh", ""), each.title.get("en", ""), ", ".join(each.tables) or "any", each.page)
        for name, each in shipped.items()
    )
    parts.append(_grid(("source", "名称", "name", "feeds", "documented at"), rows))
    for title, model in _MODELS.items():
        lead, _, body = inspect.cleandoc(model.__doc__ or "").partition("Attributes\n----------\n")
        parts.append(f"## {title}\n\n{lead.strip()}")
        lines = []
        for entry in re.split(r"\n(?=\S)", body):
            names, _, meaning = entry.partition("\n")
            keys = ", ".join(f"`{key}`" for key in re.split(r", ", names.split(" : ")[0]))
            lines.append((keys, " ".join(meaning.split())))
        parts.append(_grid(("key", "meaning"), lines))
    return _page(parts)


def _type(column: Column) -> str:
    return f"{column.type} ({column.unit})" if column.unit else column.type


def _rule(column: Column) -> str:
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


PAGES = {"tables.md": tables, "metrics.md": metric_page, "standards.md": standard_page, "sources.md": source_page}


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
