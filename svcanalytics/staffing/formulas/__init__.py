"""Queues in steady state: what so many agents give, and the least that keep every target."""
