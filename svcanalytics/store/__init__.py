"""The tables on disk: contract, loading, quarantine, masking, snapshots."""

from svcanalytics.store.commit import write
from svcanalytics.store.erasure import erase
from svcanalytics.store.lake import Lake, open
from svcanalytics.store.loading import load, release
from svcanalytics.store.quarantine import quarantined
from svcanalytics.store.result import Erased, LoadResult, Undone
from svcanalytics.store.undoing import undo

__all__ = [
    "Erased",
    "Lake",
    "LoadResult",
    "Undone",
    "erase",
    "load",
    "open",
    "quarantined",
    "release",
    "undo",
    "write",
]
