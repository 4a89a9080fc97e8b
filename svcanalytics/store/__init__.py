"""The tables on disk: contract, loading, quarantine, masking, snapshots."""

from svcanalytics.store.commit import write
from svcanalytics.store.contract import contract
from svcanalytics.store.lake import Lake, open

__all__ = ["Lake", "contract", "open", "write"]
