"""What will come: models tried on a past, weighed, and given the spread of their own errors."""
