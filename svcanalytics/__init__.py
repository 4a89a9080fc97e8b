"""Service quality analytics: from raw contact and case records to published evaluation reports.

>>> import svcanalytics as sv
>>> lake = sv.open("data/lake")
>>> sv.load(lake, "export.csv", source="servicenow")
>>> sv.measure(lake, ["first_contact_resolution"], by=["team"], every="month")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from svcanalytics.metrics import measure, standards
    from svcanalytics.report import publish
    from svcanalytics.store import Lake, erase, load, open, undo

__all__ = ["Lake", "__version__", "erase", "load", "measure", "open", "publish", "standards", "undo"]

# Names are looked up on first use, so that `svcanalytics --help` need not import pandas.
_HOMES = {
    "Lake": "store",
    "erase": "store",
    "load": "store",
    "open": "store",
    "undo": "store",
    "measure": "metrics",
    "standards": "metrics",
    "publish": "report",
}
_PACKAGES = (
    *("causes", "charts", "demand", "improve", "metrics", "periods", "quality", "report", "sample", "staffing"),
    "store",
)


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    if name in _PACKAGES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_PACKAGES])
