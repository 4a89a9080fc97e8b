"""The schedule: Dagster definitions over the package's functions. Nothing here decides; everything here calls."""
