"""Why the index moved: exact parts that add up, and the series chained over changes of weights."""
