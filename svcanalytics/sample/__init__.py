"""A service organisation made up, with known truth planted in it: for the demonstration, docs and tests."""

from svcanalytics.sample.assembly import END, organisation
from svcanalytics.sample.planted import BROKEN, truth

__all__ = ["BROKEN", "END", "organisation", "truth"]
