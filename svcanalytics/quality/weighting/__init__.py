"""Weights that are given: by judgement, from the data themselves, and by the situation a day is in."""
