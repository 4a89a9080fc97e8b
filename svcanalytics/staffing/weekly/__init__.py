"""A week planned from end to end: what the lake knows, forecast, requirement, shifts, roster, and what comes of it."""
