"""Shifts: the rules they obey, the cheapest that cover a requirement, and what stands in the way when none do."""
