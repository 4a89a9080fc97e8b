"""The words of a report: how values read, fixed labels, the words of closed lists, and what the public may see."""
