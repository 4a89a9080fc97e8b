"""What customers say: weights learned from it, what drives it, and for whom it matters more."""
