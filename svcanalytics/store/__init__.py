"""The tables on disk: contract, loading, quarantine, masking, snapshots."""

from svcanalytics.store.commit import write
from svcanalytics.store.lake import Lake, open

__all__ = ["Lake", "open", "write"]
