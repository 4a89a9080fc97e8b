"""How sure the index is: sampling error, dependence of measures, and what it owes to choices of method."""
