"""Units beside one another: case mix, funnels, ranks that admit noise, and who is recognised."""
