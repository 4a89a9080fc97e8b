"""The tables on disk: contract, loading, quarantine, masking, snapshots."""

from svcanalytics.store.commit import write
from svcanalytics.store.erasure import erase
from svcanalytics.store.lake import Lake, open
from svcanalytics.store.loading import load, release
from svcanalytics.store.quarantine import quarantined
from svcanalytics.store.reading import Query
from svcanalytics.store.result import Erased, LoadResult, Undone
from svcanalytics.store.undoing import undo
from svcanalytics.store.workbooks import template_tables, write_template

__all__ = [
    "Erased",
    "Lake",
    "LoadResult",
    "Query",
    "Undone",
    "erase",
    "load",
    "open",
    "quarantined",
    "release",
    "template_tables",
    "undo",
    "write",
    "write_template",
]
