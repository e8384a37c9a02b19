"""Names: the user's are kept as they are, and everything else steps aside.

A spec may call a parameter ``np`` or an equation ``loss``.  Those names are locals of the emitted
functions; what would be shadowed by them, and is needed there, is the module's own: its import
alias, its helper functions, its arguments.  So those are renamed, by underscores, and only the
public names of the module stay, because no function body refers to them.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable

#: The public functions that a module may have, in order.
FUNCTIONS = (
    "forward",
    "loss",
    "backward",
    "hvp",
    "per_example_sq_norms",
    "per_example_norms",
    "backward_with_norms",
    "clipped_backward",
    "clipped_by_parameter",
    "weighted_backward",
    "ggn_vp",
    "fisher_vp",
    "empirical_fisher_vp",
    "fisher_diagonal",
    "noise_scale",
)

#: Every name that a module shows.
PUBLIC = (
    "NAME",
    "DTYPE",
    "SYMDIFF_VERSION",
    "SPEC_SHA256",
    "INPUTS",
    "PARAMETERS",
    "init",
    *FUNCTIONS,
    "ravel",
    "unravel",
    "Workspace",
)

#: Facts of an input that are looked at on demand; labels are looked at always.
CHECKED_FACTS = (
    "sums_to_one",
    "one_hot",
    "positive",
    "nonnegative",
    "nonzero",
    "zero_or_one",
    "plus_minus_one",
    "symmetric",
    "range",
)

#: What a value is called for want of a better name, by the action that makes it.
HINTS = {
    **dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne"), "mask"),
    **dict.fromkeys(("matmul", "tensordot", "outer"), "product"),
    **dict.fromkeys(("vecdot", "vdot"), "dot"),
    "sum": "total",
    **dict.fromkeys(("max", "finite_peak"), "peak"),
    "mean": "mean",
    "hypot_reduce": "norm",
    "exp": "exp",
    "log": "log",
    "sigmoid": "sigma",
    "tanh": "tanh",
    "softmax": "soft",
    "log_softmax": "log_soft",
    "logsumexp": "lse",
    "take": "picked",
    "one_hot": "hot",
    "concatenate": "joined",
    "slice": "part",
    "scatter_add": "scattered",
    **dict.fromkeys(("window", "columns"), "windows"),
    "overlap_add": "overlapped",
    "pooled": "pooled",
}


def is_safe(name: str) -> bool:
    """Whether the name may be a variable of an emitted function without hiding anything."""
    return name.isidentifier() and not keyword.iskeyword(name) and not hasattr(builtins, name)


class Names:
    """The names of one module: those that are taken, and what its own things are called."""

    def __init__(self, taken: Iterable[str]) -> None:
        """``taken`` are the user's names; Python's and the public ones are taken besides."""
        self._taken = {*taken, *PUBLIC}
        self._own: dict[str, str] = {}

    def own(self, wanted: str) -> str:
        """The module's name for a thing of its own that would best be called ``wanted``."""
        if wanted not in self._own:
            self._own[wanted] = self.fresh(wanted)
        return self._own[wanted]

    def has(self, name: str) -> bool:
        """Whether the name is taken."""
        return name in self._taken

    def owned(self) -> list[str]:
        """What the module's own things are called, of those that were asked for."""
        return list(self._own.values())

    def fresh(self, wanted: str) -> str:
        """A name that nothing has yet, and which is taken from now on."""
        name = wanted
        while name in self._taken or not is_safe(name):
            name += "_"
        self._taken.add(name)
        return name


class Locals:
    """The names of the values of one function: first come, first served.

    Function bodies call no built-in function, so that a value may have the name of one.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._temporaries = 0
        self._numbers: dict[str, int] = {}  # of each name, the last number given

    def temporary(self, hint: str) -> str:
        """A name for a value that has none: the hint, numbered; t1, t2, … without one."""
        if hint:
            return self.give(hint)
        self._temporaries += 1
        return self.give(f"t{self._temporaries}")

    def give(self, wanted: str) -> str:
        """The wanted name if it is free, else that name with a number."""
        number = self._numbers.get(wanted, 1)
        name = wanted if number == 1 else f"{wanted}_{number}"
        while name in self._taken or keyword.iskeyword(name):
            number += 1
            name = f"{wanted}_{number}"
        self._numbers[wanted] = number
        self._taken.add(name)
        return name
