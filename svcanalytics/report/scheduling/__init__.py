"""What is due, whether its data are there, and who is told."""
