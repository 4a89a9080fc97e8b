"""The quality index: measures are normalised, weighed and brought together in one number with a band.

`score` is the door; `profile` reads what an organisation chose: weights, goalposts, situations in which other weights
count, the kind of mean, floor rules. Weights learned from customers enter as `score`'s weights.
"""

from __future__ import annotations

from svcanalytics.quality.aggregation import Aggregate, aggregate
from svcanalytics.quality.definitions import profile, profile_names
from svcanalytics.quality.drivers import importance
from svcanalytics.quality.gaps import oaxaca
from svcanalytics.quality.index import IndexResult, score
from svcanalytics.quality.learning import LearnedWeights, learn
from svcanalytics.quality.moderation import interactions
from svcanalytics.quality.profiles import Cap, Goalposts, Profile, ProfileMetric
from svcanalytics.quality.scaling import normalise
from svcanalytics.quality.situations import Load, Situation
from svcanalytics.quality.timeline import follow_load, weights_in, weights_over

__all__ = [
    "Aggregate",
    "Cap",
    "Goalposts",
    "IndexResult",
    "LearnedWeights",
    "Load",
    "Profile",
    "ProfileMetric",
    "Situation",
    "aggregate",
    "follow_load",
    "importance",
    "interactions",
    "learn",
    "normalise",
    "oaxaca",
    "profile",
    "profile_names",
    "score",
    "weights_in",
    "weights_over",
]
