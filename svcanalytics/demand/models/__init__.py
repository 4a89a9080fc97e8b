"""Models of a queue's arrivals behind one protocol: fitted on days by slots, giving means and sample paths."""

from __future__ import annotations

from svcanalytics.demand.models.protocol import Fitted, Model

__all__ = ["Fitted", "Model"]
