"""From five kinds of evidence to one ranked table of findings."""
