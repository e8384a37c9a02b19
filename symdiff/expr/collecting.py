"""Python's garbage collector, told that graphs are large and make hardly any garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def rare_collections() -> Iterator[None]:
    """Within the block, garbage is collected rarely: graphs are large, and make hardly any.

    Looking through them again and again takes a quarter of the time otherwise.
    """
    before = gc.get_threshold()
    if before[0]:  # 0 says that there are to be no collections
        gc.set_threshold(max(before[0], 200_000), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
