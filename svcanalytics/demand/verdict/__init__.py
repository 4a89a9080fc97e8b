"""How good forecasts were: backtests, scores, comparisons, and those kept in the lake beside what came."""
