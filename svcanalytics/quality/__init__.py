"""The quality index: measures are normalised, weighed and brought together in one number with a band.

`score` is the door; `profile` reads what an organisation chose: weights, goalposts, situations in which other weights
count, the kind of mean, floor rules. Weights learned from customers enter as `score`'s weights.
"""

from __future__ import annotations

from svcanalytics.quality.aggregation import Aggregate, aggregate
from svcanalytics.quality.change.chaining import chain
from svcanalytics.quality.change.decomposition import (
    decompose,
    decompose_mix,
    decompose_product,
    decompose_structure,
    standardise_rates,
)
from svcanalytics.quality.change.explanation import explain, top_contributions
from svcanalytics.quality.comparison.casemix import expect, standardise, standardise_cases
from svcanalytics.quality.comparison.funnels import Funnel, funnel
from svcanalytics.quality.comparison.ranking import rank_sets, separate, separate_rates, tie_groups
from svcanalytics.quality.comparison.recognition import barred_units, star_reason, stars
from svcanalytics.quality.comparison.shrinkage import Shrunk, shrink, shrink_rates
from svcanalytics.quality.comparison.units import compare, compare_counts
from svcanalytics.quality.customers.drift import WeightPath, learn_by_period
from svcanalytics.quality.customers.drivers import importance
from svcanalytics.quality.customers.gaps import oaxaca
from svcanalytics.quality.customers.learning import LearnedWeights, learn
from svcanalytics.quality.customers.moderation import interactions
from svcanalytics.quality.customers.perception import cell_rows, learn_from, survey_rows
from svcanalytics.quality.definitions import profile, profile_names
from svcanalytics.quality.doubt.dependence import Dependence, estimate_dependence, measure_dependence
from svcanalytics.quality.doubt.methods import Method
from svcanalytics.quality.doubt.removing import removal
from svcanalytics.quality.doubt.robustness import sensitivity
from svcanalytics.quality.doubt.uncertainty import Propagation, propagate
from svcanalytics.quality.doubt.variance import variance_shares
from svcanalytics.quality.index import IndexResult, score
from svcanalytics.quality.profiles import Cap, Goalposts, Profile, ProfileMetric, reweigh
from svcanalytics.quality.scaling import normalise
from svcanalytics.quality.weighting.judgements import Judgement, judge
from svcanalytics.quality.weighting.situations import Load, Situation
from svcanalytics.quality.weighting.timeline import follow_load, weights_in, weights_over
from svcanalytics.quality.weighting.weighing import weights

__all__ = [
    "Aggregate",
    "Cap",
    "Dependence",
    "Funnel",
    "Goalposts",
    "IndexResult",
    "Judgement",
    "LearnedWeights",
    "Load",
    "Method",
    "Profile",
    "ProfileMetric",
    "Propagation",
    "Shrunk",
    "Situation",
    "WeightPath",
    "aggregate",
    "barred_units",
    "cell_rows",
    "chain",
    "compare",
    "compare_counts",
    "decompose",
    "decompose_mix",
    "decompose_product",
    "decompose_structure",
    "estimate_dependence",
    "expect",
    "explain",
    "follow_load",
    "funnel",
    "importance",
    "interactions",
    "judge",
    "learn",
    "learn_by_period",
    "learn_from",
    "measure_dependence",
    "normalise",
    "oaxaca",
    "profile",
    "profile_names",
    "propagate",
    "rank_sets",
    "removal",
    "reweigh",
    "score",
    "sensitivity",
    "separate",
    "separate_rates",
    "shrink",
    "shrink_rates",
    "standardise",
    "standardise_cases",
    "standardise_rates",
    "star_reason",
    "stars",
    "survey_rows",
    "tie_groups",
    "top_contributions",
    "variance_shares",
    "weights",
    "weights_in",
    "weights_over",
]
