"""Which values to keep so that the others can be computed again: cuts through the forward pass.

A cut is a place between two steps; what is read across it is kept, and from that all that follows
can be had again, up to the next cut (Chen et al. 2016, "Training deep nets with sublinear memory
cost"; on graphs Kusumoto et al. 2019).  When a segment's values are had again, what is kept is what
stands at the cuts before it: the segments behind it are done with.  So early segments may be
longer than late ones, and the last one need not be had again at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

#: Places that are looked at, at most: every pair of them is.
MOST_PLACES = 600


@dataclass(frozen=True, slots=True)
class Unit:
    """A storage of the forward pass: made at a place, last read there at another.

    ``wanted`` tells whether it is read later on too.
    """

    made: int
    last: int
    size: int
    wanted: bool

    def crosses(self, cut: int) -> bool:
        """Whether steps behind the cut read it."""
        return self.made < cut <= self.last


def choose_cuts(units: Sequence[Unit], end: int, budget: int) -> list[int] | None:
    """The cuts with which the values wanted of no segment, and what is kept, exceed the budget.

    The last cut is as early as can be: what is behind it stays.  None if there are no such cuts.
    """
    import numpy as np

    places = _places(units, end)
    count = len(places)
    made = np.array([unit.made for unit in units])
    size = np.array([unit.size for unit in units], dtype=np.int64)
    wanted = np.array([unit.size if unit.wanted else 0 for unit in units], dtype=np.int64)
    last = np.array([unit.last for unit in units])
    below = np.searchsorted(places, made, side="right")  # the first place behind it
    before = np.zeros(count + 1, dtype=np.int64)
    np.add.at(before, below, wanted)
    before = np.cumsum(before)[:count]  # bytes wanted of what is made before each place
    total = int(wanted.sum())
    # kept[i, j]: what is made between two places and crosses the second.
    change = np.zeros((count + 1, count + 1), dtype=np.int64)
    beyond = np.searchsorted(places, last, side="right")
    crossing = below < beyond
    low, high, bytes_ = below[crossing], beyond[crossing], size[crossing]
    zero = np.zeros_like(low)
    for rows, columns, sign in ((zero, low, 1), (low, low, -1), (zero, high, -1), (low, high, 1)):
        np.add.at(change, (rows, columns), sign * bytes_)
    kept = change.cumsum(axis=0).cumsum(axis=1)

    never = np.iinfo(np.int64).max // 4
    least = np.full(count, never, dtype=np.int64)
    least[0] = 0
    came = np.zeros(count, dtype=np.int64)
    for j in range(1, count):
        fits = least[:j] + before[j] - before[:j] <= budget
        held = np.where(fits, least[:j] + kept[:j, j], never)
        came[j] = held.argmin()
        least[j] = held[came[j]]
    ends = np.flatnonzero(least + total - before <= budget)
    if not len(ends):
        return None
    cuts = []
    j = int(ends[0])
    while j:
        cuts.append(int(places[j]))
        j = int(came[j])
    return cuts[::-1]


def _places(units: Sequence[Unit], end: int) -> list[int]:
    """Where to cut: where least is read across, among neighbours."""
    change = [0] * (end + 3)
    for unit in units:
        change[unit.made + 1] += unit.size
        change[unit.last + 1] -= unit.size
    width = list(accumulate(change))
    made = {unit.made for unit in units}
    found = []
    for place in range(1, end + 1):
        around = (width[place - 1] or width[place], width[place + 1])
        if place - 1 in made and width[place] <= min(around):
            found.append(place)
    if len(found) > MOST_PLACES:
        found = [found[i * len(found) // MOST_PLACES] for i in range(MOST_PLACES)]
    return [0, *found]
