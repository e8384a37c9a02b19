"""Records: small values that never change, of which a compilation makes thousands for each layer.

To the type checker ``record`` is ``dataclass``, and it refuses to set a field of a frozen one.  At
run time nothing does: a frozen dataclass sets each of its own fields around its own guard, which
takes most of the time that it takes to make one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:
    from dataclasses import dataclass

    def record(*, frozen: bool, slots: bool, eq: bool = True) -> Callable[[type[Any]], type[Any]]:
        """A dataclass; ``frozen`` is for the type checker, and for the hash that it gives."""
        return dataclass(slots=slots, eq=eq, unsafe_hash=frozen and eq)


__all__ = ["record"]
