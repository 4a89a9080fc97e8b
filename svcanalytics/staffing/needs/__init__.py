"""How many agents a forecast asks for: interval by interval, by skill, and for work that may wait."""
