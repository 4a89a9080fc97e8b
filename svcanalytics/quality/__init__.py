"""The quality index: measures are normalised, weighed and brought together in one number with a band.

`score` is the door; `profile` reads the weights and goalposts an organisation chose. Weights that follow the situation
or are learned from customers will enter where `score` asks the profile for its weights, once per period.
"""

from __future__ import annotations

from svcanalytics.quality.index import IndexResult, score
from svcanalytics.quality.profiles import Goalposts, Profile, ProfileMetric, profile, profile_names
from svcanalytics.quality.scaling import normalise

__all__ = [
    "Goalposts",
    "IndexResult",
    "Profile",
    "ProfileMetric",
    "normalise",
    "profile",
    "profile_names",
    "score",
]
