"""Editions: the notebook's run, its rendering, the rename into place, the index, and the proof of every figure."""
