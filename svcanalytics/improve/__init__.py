"""Improving: the rectification ledger, from a finding to a line that was accepted and followed up."""

from __future__ import annotations

from svcanalytics.improve.ledger import LedgerStanding, read_actions, stand
from svcanalytics.improve.lines import add_action, change_action, export_actions, import_actions
from svcanalytics.improve.proposals import propose_actions

__all__ = [
    "LedgerStanding",
    "add_action",
    "change_action",
    "export_actions",
    "import_actions",
    "propose_actions",
    "read_actions",
    "stand",
]
