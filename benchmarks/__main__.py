"""Run benchmarks and print what was measured beside its bound.

python -m benchmarks                    # those that need nothing and take minutes
python -m benchmarks NAME ...           # those named
python -m benchmarks all                # every one whose needs are met; takes hours
python -m benchmarks --list             # what there is
python -m benchmarks NAME ARGUMENT ...  # a program that prints tables of its own, with its arguments
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

USUAL = ("load", "measure", "publish", "explain", "index_bands", "learned_weights", "units", "process")
_REAL = "$SVC_REAL_DATA"
_PEERS = "make bench-forecast"
NEEDS = {
    "clustering": _REAL,
    "forecast": _PEERS,
    "real_data": _REAL,
    "segments": _REAL,
    "sentiment": _REAL,
    "staffing_real": _REAL,
}
"""What a program can't do without."""


def main(arguments: list[str]) -> int:
    """Return 0 when every bound holds, 1 when one doesn't, 2 when nothing could be run."""
    tables, own = programs()
    if {"-h", "--help", "--list"} & set(arguments[:1]):
        print(_listing(tables, own))
        return 0
    if arguments and arguments[0] in own:
        return _stopped(arguments[0]) or import_module(f"benchmarks.{arguments[0]}").main(arguments[1:]) or 0
    names = arguments or list(USUAL)
    if names == ["all"]:
        names = [name for name in tables if not _lacking(name)]
    unknown = [name for name in names if name not in tables]
    if unknown:
        print(f"no benchmark {unknown[0]!r}; python -m benchmarks --list names them", file=sys.stderr)
        return 2
    return max(map(_stopped, names)) or _run(names)


def programs() -> tuple[dict[str, str], dict[str, str]]:
    """Return name and purpose of the programs that give lines of the table, and of those with output of their own."""
    tables, own = {}, {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        module = ast.parse(path.read_text("utf-8"))
        functions = {each.name for each in module.body if isinstance(each, ast.FunctionDef)}
        if path.stem != "__main__" and functions & {"run", "main"}:
            purpose = (ast.get_docstring(module) or "").partition("\n\n")[0].replace("\n", " ")
            (tables if "run" in functions else own)[path.stem] = purpose
    return tables, own


def _run(names: Iterable[str]) -> int:
    print(f"{'':4}{'what':58}{'measured':>10}{'bound':>9}  unit   detail")
    held = True
    for name in names:
        print(f"... {name}", file=sys.stderr)
        for each in import_module(f"benchmarks.{name}").run():
            held &= each.holds
            mark = "ok" if each.holds else "OVER"
            print(
                f"{mark:4}{each.name:58}{each.measured:10.2f}{each.bound:9.2f}  {each.unit:6} {each.detail}", flush=True
            )
    return 0 if held else 1


def _lacking(name: str) -> str:
    need = NEEDS.get(name, "")
    met = {_REAL: bool(os.environ.get("SVC_REAL_DATA")), _PEERS: find_spec("statsforecast") is not None, "": True}
    return "" if met[need] else need


def _stopped(name: str) -> int:
    lacking = _lacking(name)
    if lacking:
        print(f"{name} needs {lacking}", file=sys.stderr)
    return 2 if lacking else 0


def _listing(tables: dict[str, str], own: dict[str, str]) -> str:
    parts = [(__doc__ or "").partition("\n\n")[2].rstrip(), ""]
    for title, found in (
        ("Run when no name is given:", {name: tables[name] for name in USUAL}),
        ("Run by name:", {name: text for name, text in tables.items() if name not in USUAL}),
        ("With arguments and tables of their own:", own),
    ):
        parts.append(title)
        for name, text in found.items():
            needs = f" [needs {NEEDS[name]}]" if name in NEEDS else ""
            parts.append(f"  {name:18}{text}{needs}")
        parts.append("")
    return "\n".join(parts).rstrip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
