"""Which values of a program may hold a number that some of its results are scaled by.

Cotangents are linear in the one that they begin with: what multiplies gradients may stand in them
from there on, if all that reads them is linear too.  Their squares, of which norms are made, hold
the number twice, and are divided by it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from codegen.program import COMPOUND, LEAVES, VIEWS, Program
from codegen.two_operands import TYPICAL_SIZE
from symdiff.expr.shapes import Shape, shape_size, size_names, size_value

#: The elements that NumPy scales in the time that it takes to call it.
CALL = 1000

_PRODUCTS = frozenset({"dot", "matmul", "multiply", "outer"})
_SQUARES = frozenset({"dot", "matmul", "multiply", "vecdot"})
#: Calls that add up what they read; views, which are none, hand it on to such.
_SUMMING = frozenset({"dot", "matmul", "vecdot", "sum", ""})
SUMS = frozenset({"add", "subtract", "concatenate"})
_VIEWS = VIEWS - {"diagonal"}
#: Steps whose values never hold the number.
_SILENT = LEAVES | COMPOUND | {"diagonal"}


@dataclass(frozen=True, slots=True)
class Carried:
    """Where a number is, if it is moved to where it costs least.

    ``values`` hold it, the ``first`` of them by being multiplied, the ``entered`` by what they are
    made of: one argument each, or what that is a view of; ``removed`` are scalings that need not be
    done any more; ``again`` are values that hold it several times, how often, and are divided by it
    as often; ``saved`` is what that spares, in elements.
    """

    values: frozenset[int]
    first: frozenset[int]
    entered: Mapping[int, int]
    removed: frozenset[int]
    again: Mapping[int, int]
    saved: int


def carried(program: Program, ends: Mapping[int, int], divided: Collection[int]) -> Carried:
    """The best of the ways to move a number, without squares of what holds it and with them.

    ``ends`` are the steps that multiply by it, and what they do; ``divided`` are all steps that
    scale by some number: there a square is divided at no cost.
    """
    plain = _way(_Search(program, ends), divided)
    one_call = len(plain.first | {*plain.entered.values()}) <= 1
    whole = plain.removed >= ends.keys() and one_call and plain.saved > 0
    if whole or not (squares := squares_of(program)):
        return plain
    return max(plain, _way(_Search(program, ends, squares), divided), key=lambda way: way.saved)


def squares_of(program: Program) -> set[int]:
    """The products of a value with itself, be it in two views, that are sums, summed, or not large.

    To divide an array again that is as large as what it is the square of spares nothing.
    """
    found, called = set(), program.called
    for step, function in zip(program.steps, program.called, strict=True):
        if function in _SQUARES and len(step.args) == 2 and step.dtype.startswith("float"):
            first, second = step.args
            if first != second and program.base(first) != program.base(second):
                continue
            is_sum = function != "multiply" or _size(step.shape) <= 2 * CALL
            if is_sum or all(called[r] in _SUMMING for r in program.readers[step.dest]):
                found.add(step.dest)
    return found


def _way(search: _Search, divided: Collection[int]) -> Carried:
    """The way that a search finds; see carried."""
    program, ends, squares = search.program, search.ends, search.squares
    steps = program.steps
    values = search.run()
    removed = {r for r, x in ends.items() if x in values}
    first = {r for r in values if not any(a in values for a in steps[r].args)}
    sums = [r for r in values - first if search.functions[r] in SUMS]
    beside = {a for r in sums for a in steps[r].args} - values
    entered, instead = _entered(program, search, first, beside)
    first -= instead
    values -= instead - entered.keys()
    beside |= {*entered.values()}
    twice = [search.divided_at(r) for r in squares if {*steps[r].args} <= values]
    again = Counter([*twice, *twice])
    free = {r for r in again if len(search.readers[r]) == 1 and search.readers[r][0] in divided}
    cost = elements(program, first | beside) + elements(program, again.keys() - free)
    saved = elements(program, removed) - cost if len(removed) > 1 else 0
    return Carried(frozenset(values), frozenset(first), entered, frozenset(removed), again, saved)


def _entered(
    program: Program, search: _Search, first: Collection[int], paid: Collection[int]
) -> tuple[dict[int, int], set[int]]:
    """Where the number enters by an argument that others read too, as it was; and for which firsts.

    Of several values made of one array, which the loss needs as it is, that array is scaled once;
    the ``paid`` ones are scaled already.
    """
    users: dict[int, dict[int, int]] = {}
    for register in sorted(first):
        entry = search.entry(register)
        if entry is None:
            continue
        bases = [program.base(arg) for arg in search.args[entry] if arg != register]
        for base in bases:
            step = program.steps[base]
            may_be = step.action not in _SILENT and step.dtype.startswith("float") and step.shape
            if may_be and bases.count(base) == 1:
                users.setdefault(base, {})[register] = entry
    entered: dict[int, int] = {}
    instead: set[int] = set()
    for base, made in sorted(users.items(), key=lambda item: (-len(item[1]), item[0])):
        left = [r for r in made if r not in instead]
        if elements(program, left) > (0 if base in paid else elements(program, [base])):
            entered.update({made[r]: base for r in left})
            instead.update(left)
    return entered, instead


class _Search:
    """The search for what may hold the number: lists by register, for programs are long."""

    def __init__(
        self, program: Program, ends: Mapping[int, int], squares: Collection[int] = ()
    ) -> None:
        self.program = program
        steps = program.steps
        self.results = {*program.results.values()}
        self.args = [step.args for step in steps]
        self.sizes = [step.shape for step in steps]
        self.readers = list(program.readers.values())
        self.ends = ends
        self.squares = squares
        self.is_view = [step.action in _VIEWS for step in steps]
        self.functions = program.called
        # A value that is scaled itself does not hold the number twice.
        self.carried = {
            s.dest
            for s in steps
            if s.action not in _SILENT and s.shape and s.dtype.startswith("float")
            if self.readers[s.dest] and s.dest not in self.results
            if s.dest not in ends and s.dest not in squares
        }

    def run(self) -> set[int]:
        """First what is read by anything that is not linear goes; then, of two factors, one."""
        carried = self.carried
        heights = [0 if r in carried else -1 for r in range(len(self.args))]
        todo = sorted(carried)
        while todo:
            register = todo.pop()
            if register in carried and not self.may_carry(register, heights, False):
                carried.discard(register)
                views = (r for r in self.readers[register] if self.is_view[r])
                todo += [r for r in (*self.args[register], *views) if r in carried]
        broken = {-1}
        while broken:
            heights = self.heights()
            broken = {r for r in carried if not self.may_carry(r, heights, True)}
            carried -= broken
        return carried

    def may_carry(self, register: int, heights: Sequence[int], alone: bool) -> bool:
        """Whether the number in a value comes out of all that reads it."""
        carried = self.carried
        if self.is_view[register] and self.args[register][0] not in carried:
            return False  # of an argument, or of what stays as it is
        for reader in self.readers[register]:
            if self.ends.get(reader) == register:
                continue
            if reader in self.squares:
                if not all(a in carried for a in self.args[reader]):
                    return False
            elif reader not in carried or not self.takes(reader, register, heights, alone):
                return False
        return True

    def heights(self) -> list[int]:
        """How many matrix products in a row lead to a value: cotangents have passed through some.

        Values that do not hold the number are at -1.
        """
        heights = [-1] * len(self.args)
        for register in sorted(self.carried):
            args = self.args[register]
            below = [heights[a] for a in args if self.takes(register, a, heights, True)]
            is_product = self.functions[register] in ("dot", "matmul")
            heights[register] = is_product + max(below, default=0)
        return heights

    def takes(self, reader: int, register: int, heights: Sequence[int], alone: bool) -> bool:
        """Whether a number in one of a step's arguments comes out once in its result.

        ``alone``: of several factors that may carry it, one does.
        """
        if heights[register] < 0:
            return False
        if self.is_view[reader]:
            return True
        function, args = self.functions[reader], self.args[reader]
        if args.count(register) != 1:
            return False
        if function in SUMS:
            # Beside a cotangent, terms that do not carry the number are scaled; 1 - h^2 is none.
            return heights[register] > 0 or min([heights[a] for a in args]) >= 0
        if function in _PRODUCTS:
            # One factor takes it: the one that can hand it on, as cotangents do.
            if not alone:
                return True
            best = max([heights[a] for a in args])
            return register == [a for a in args if heights[a] == best][-1]
        return function in ("sum", "negative") or (function == "divide" and args[0] == register)

    def entry(self, register: int) -> int | None:
        """Where the number may enter by another argument, instead of by the register: see takes."""
        if self.functions[register] in (*_PRODUCTS, "negative", "sum"):
            return register
        readers = self.readers[register]
        if len(readers) != 1 or readers[0] not in self.carried:
            return None
        (reader,) = readers
        others = [arg for arg in self.args[reader] if arg != register]
        is_product = self.functions[reader] in _PRODUCTS and not self.carried & {*others}
        return reader if is_product else None

    def divided_at(self, register: int) -> int:
        """The last of the values that only a square is handed on to, none larger than it."""
        while len(self.readers[register]) == 1 and register not in self.results:
            (reader,) = self.readers[register]
            function = self.functions[reader]
            linear = self.is_view[reader] or function in (*_PRODUCTS, "vecdot", "sum")
            if not linear or self.args[reader].count(register) != 1 or reader in self.carried:
                break
            if reader in self.ends or _size(self.sizes[reader]) > _size(self.sizes[register]):
                break
            register = reader
        return register


@lru_cache(maxsize=1024)
def typical_elements(shape: Shape) -> int:
    """The elements of an array where sizes that are not known are what is usual."""
    size = shape_size(shape)
    return size_value(size, dict.fromkeys(size_names(size), TYPICAL_SIZE))


def _size(shape: Shape) -> int:
    return CALL + typical_elements(shape)


def elements(program: Program, registers: Collection[int]) -> int:
    """What calls that make these values cost, as a number of elements."""
    return sum(_size(program.steps[r].shape) for r in registers)
