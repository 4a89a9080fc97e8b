"""Many tasks side by side: on all cores, or wherever the caller's joblib backend runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

__all__ = ["run_side_by_side"]


def run_side_by_side(
    function: Callable[..., Any], tasks: Sequence[tuple], *, n_jobs: int | None = None
) -> Iterable[Any]:
    """Call a function with each task's arguments, and return the results in the order of the tasks.

    Parameters
    ----------
    function : callable
        At the top of a module, so that other processes find it.
    tasks : sequence of tuple
    n_jobs : int, optional
        Processes; by default what an enclosing ``joblib.parallel_config`` says, which may name the backend of Dask, Ray
        or Spark, or else all cores.
    """
    from joblib import Parallel, delayed
    from joblib.parallel import get_active_backend

    backend, said = get_active_backend()
    calls = (delayed(function)(*task) for task in tasks)
    # Not every backend hands results over as they come.
    as_they_come = getattr(backend, "supports_return_generator", False)
    return Parallel(n_jobs or said or -1, return_as="generator" if as_they_come else "list")(calls)
