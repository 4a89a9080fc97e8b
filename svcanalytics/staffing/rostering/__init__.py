"""Named rosters: who works which of a plan's shifts, within the rules and fairly."""
