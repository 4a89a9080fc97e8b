"""The places where a load, an undo or an erasure could be cut short, named, so that tests can stop at every one.

Production never sets a hook: `reach` is then one comparison. A test sets a hook that kills the process or raises
`OSError` at the n-th place reached. All writing goes through `store.files` and `store.commit`, which reach a place
before and after every write, fsync and rename.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["hooked", "reach"]

_hook: Callable[[str], None] | None = None


def reach(place: str) -> None:
    """Say that execution has come to a place at which the machine could stop."""
    if _hook is not None:
        _hook(place)


@contextmanager
def hooked(hook: Callable[[str], None]) -> Iterator[None]:
    """Call `hook` with the name of every place reached inside the block."""
    global _hook
    before, _hook = _hook, hook
    try:
        yield
    finally:
        _hook = before
