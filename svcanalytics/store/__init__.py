"""The tables on disk: contract, loading, quarantine, masking, snapshots."""

from svcanalytics.store.commit import write
from svcanalytics.store.lake import Lake, open
from svcanalytics.store.loading import load, release
from svcanalytics.store.quarantine import quarantined
from svcanalytics.store.result import LoadResult

__all__ = ["Lake", "open", "write"]
