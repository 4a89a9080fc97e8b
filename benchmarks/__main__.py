"""Run all benchmarks, or those named, and print one table: `python -m benchmarks [NAME ...]`."""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.timing import Result

ALL = ("load", "measure", "publish", "explain", "index_bands", "learned_weights", "units", "process")


def main(names: list[str]) -> int:
    """Return 0 when every bound holds."""
    results: list[Result] = []
    for name in names or ALL:
        print(f"... {name}", file=sys.stderr)
        results += import_module(f"benchmarks.{name}").run()
    print(f"{'':4}{'what':58}{'measured':>10}{'bound':>9}  unit   detail")
    for each in results:
        mark = "ok" if each.holds else "OVER"
        print(f"{mark:4}{each.name:58}{each.measured:10.2f}{each.bound:9.2f}  {each.unit:6} {each.detail}")
    return 0 if all(each.holds for each in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
