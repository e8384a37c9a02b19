"""What is wrong with what a user gave: a list of faults, each with its place and one line of text.

Everything that reads outside text collects faults and raises once, so that one run reports every
fault there is.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Fault:
    """One fault; lines and columns count characters from 1."""

    line: int
    column: int
    message: str


class SpecError(ValueError):
    """A spec or a formula that is wrong.

    ``faults`` lists everything found, in the order of the text; ``source`` is the file's name as
    the user gave it.  ``str()`` gives one ``SOURCE:LINE:COL: error: ...`` line a fault.
    """

    def __init__(self, source: str, faults: Iterable[Fault]) -> None:
        self.source = source
        self.faults: tuple[Fault, ...] = tuple(sorted(set(faults)))
        super().__init__("\n".join(self.lines))

    @property
    def lines(self) -> tuple[str, ...]:
        """One line of text a fault."""
        return tuple(
            f"{self.source}:{fault.line}:{fault.column}: error: {fault.message}"
            for fault in self.faults
        )


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like ``name``, if any is much like it."""
    found = difflib.get_close_matches(name, sorted(set(known)), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'relu'?``, or nothing."""
    found = nearest(name, known)
    return f"; did you mean {found!r}?" if found else ""


def listing(names: Sequence[str], last: str = "or") -> str:
    """``a, b or c``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"
