"""A service organisation made up, with known truth planted in it: for the demonstration, docs and tests."""

from svcanalytics.sample.assembly import END, organisation
from svcanalytics.sample.breakage import BROKEN
from svcanalytics.sample.planted import truth
from svcanalytics.sample.showcase import demo, load

__all__ = ["BROKEN", "END", "demo", "load", "organisation", "truth"]
