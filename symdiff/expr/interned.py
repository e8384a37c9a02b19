"""A table of values that are kept by others: what makes equal nodes one and the same."""

from __future__ import annotations

from typing import Generic, TypeVar
from weakref import ref

T = TypeVar("T")

#: So many entries are not looked through for those that are gone.
FEW = 10_000


class Interned(Generic[T]):
    """Values by their keys, for as long as anything else refers to them.

    As ``WeakValueDictionary``, which calls a function of Python's for each value that goes; here
    they are swept out together, whenever there are twice as many entries as the last sweep left.
    """

    def __init__(self) -> None:
        self._refs: dict[bytes, ref[T]] = {}
        self._most = FEW

    def __contains__(self, key: bytes) -> bool:
        return self.get(key) is not None

    def __len__(self) -> int:
        """The entries, those of values that are gone and not yet swept out included."""
        return len(self._refs)

    def get(self, key: bytes) -> T | None:
        """The value of that key; None if there is none."""
        found = self._refs.get(key)
        return None if found is None else found()

    def put(self, key: bytes, value: T) -> T:
        """The value of that key from now on: the one that another thread has just put there, or
        else this one.
        """
        if len(self._refs) >= self._most:
            self._sweep()
        kept = self._refs.setdefault(key, own := ref(value))()
        if kept is None:  # what was there is gone
            self._refs[key] = own
            return value
        return kept

    def _sweep(self) -> None:
        for key, found in list(self._refs.items()):
            if found() is None and self._refs.get(key) is found:
                del self._refs[key]
        self._most = max(FEW, 2 * len(self._refs))
