"""What came: counts taken in, brought to days by slots, examined, and told closed from zero from missing."""
