"""Whom to hire and train for the quarters to come."""
