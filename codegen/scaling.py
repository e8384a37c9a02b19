"""Where a gradient is scaled: at the loss, once, and not at every weight.

The mean over examples stands in front of each weight's gradient, as algebra would have it, and
costs a pass over each.  Cotangents are linear in the one that they begin with, so that the number
may as well be multiplied in there, where the array is smallest, if nothing else reads it on the
way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from codegen.contraction import TYPICAL_SIZE
from codegen.program import VIEWS, Builder, Program, Step
from symdiff.expr.node import Node
from symdiff.expr.shapes import Shape, shape_size, size_names, size_value

#: A scaling: multiply or divide, and the register of the number.
Scale = tuple[str, int]

#: The elements that NumPy scales in the time that it takes to call it.
CALL = 1000

_PRODUCTS = frozenset({"dot", "matmul", "multiply", "outer"})
_SUMS = frozenset({"add", "subtract"})
_VIEWS = VIEWS - {"diagonal"}
_CARRYING = _VIEWS | {"call"}


def scaled_early(program: Program) -> Program:
    """The program with each number that scales several results multiplied in as early as may be."""
    for scale in dict.fromkeys(_scales(program).values()):
        program = _moved(program, scale)
    return program


def _scales(program: Program) -> dict[int, Scale]:
    """The steps that scale an array by a number."""
    found: dict[int, Scale] = {}
    for step in program.steps:
        if step.action == "call" and len(step.args) == 2 and step.shape:
            if program.steps[step.args[1]].weak:
                function: str = step.detail("function")
                if function in ("multiply", "divide"):
                    found[step.dest] = function, step.args[1]
    return found


def _moved(program: Program, scale: Scale) -> Program:
    steps = program.steps
    ends = {r: steps[r].args[0] for r, own in _scales(program).items() if own == scale}
    if len(ends) < 2:
        return program
    carried = _carried(program, ends)
    removed = {r for r, x in ends.items() if x in carried}
    first = {r for r in carried if not any(a in carried for a in steps[r].args)}
    beside = {a for r in carried - first if _is_sum(steps[r]) for a in steps[r].args} - carried
    if len(removed) < 2 or _elements(program, first | beside) >= _elements(program, removed):
        return program
    return _Move(program, scale, carried, removed, first).run()


class _Move:
    """A program being written out again, with a number at the ``first`` of what carries it."""

    def __init__(
        self, program: Program, scale: Scale, carried: set[int], removed: set[int], first: set[int]
    ) -> None:
        self.program, self.scale = program, scale
        self.carried, self.removed, self.first = carried, removed, first
        self.builder = Builder("")
        self.place: dict[int, int] = {}

    def run(self) -> Program:
        program, place = self.program, self.place
        nodes: dict[int, Node] = {}
        number = program.steps[self.scale[1]]
        by_size = self.scale[0] == "divide" and number.action == "size"
        divided: dict[int, str] = {}
        passing = self.carried - self.first
        for step in program.steps:
            args = [place[a] for a in step.args]
            if step.dest in self.removed:
                place[step.dest] = args[0]
                continue
            if _is_sum(step) and step.dest in passing:
                kept = zip(step.args, args, strict=True)
                args = [new if old in self.carried else self.scaled(new) for old, new in kept]
            register = self.builder.append(step.moved(step.dest, tuple(args)))
            place[step.dest] = self.scaled(register) if step.dest in self.first else register
            node = program.nodes.get(step.dest)
            if node is not None and step.dest not in self.carried:
                nodes.setdefault(place[step.dest], node)
            elif node is not None and by_size:
                nodes[place[step.dest]] = node
                divided[place[step.dest]] = str(number.detail("size"))
        for register in self.removed:
            node = program.nodes.get(register)
            if node is not None:
                nodes[place[register]] = node
        return Program(
            tuple(self.builder.steps),
            {label: place[r] for label, r in program.results.items()},
            nodes,
            tuple(place[r] for r in program.divisors),
            {**{place[r]: by for r, by in program.divided.items()}, **divided},
        )

    def scaled(self, register: int) -> int:
        """A value of the new program, times the number."""
        function, number = self.scale
        step = self.builder.steps[register]
        args = (register, self.number(number))
        details = (("function", function), ("elementwise", True))
        made = replace(step, action="call", args=args, details=details, blocks=())
        return self.builder.append(made)

    def number(self, register: int) -> int:
        """A number of the old program, made when it is needed: it stands for no array."""
        if register not in self.place:
            step = self.program.steps[register]
            args = tuple(self.number(a) for a in step.args)
            self.place[register] = self.builder.append(step.moved(step.dest, args))
        return self.place[register]


def _carried(program: Program, ends: Mapping[int, int]) -> set[int]:
    """The values that may hold the number: all that reads them is linear, and ends in the scale.

    ``ends`` are the steps that scale, and what they do.
    """
    return _Carriers(program, ends).run()


class _Carriers:
    """The search for them: lists by register, for programs are long."""

    def __init__(self, program: Program, ends: Mapping[int, int]) -> None:
        steps, results = program.steps, {*program.results.values()}
        self.args = [step.args for step in steps]
        self.readers = list(program.readers().values())
        self.ends = ends
        self.is_view = [step.action in _VIEWS for step in steps]
        self.functions = [s.detail("function") if s.action == "call" else "" for s in steps]
        # A value that is scaled itself does not hold the number twice.
        self.carried = {
            s.dest
            for s in steps
            if s.action in _CARRYING and s.shape and s.dtype.startswith("float")
            if self.readers[s.dest] and s.dest not in results and s.dest not in ends
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
        if self.is_view[register] and self.args[register][0] not in self.carried:
            return False  # of an argument, or of what stays as it is
        for reader in self.readers[register]:
            if self.ends.get(reader) != register and (
                reader not in self.carried or not self.takes(reader, register, heights, alone)
            ):
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
        if function in _SUMS:
            # Beside a cotangent, terms that do not carry the number are scaled; 1 - h^2 is none.
            return heights[register] > 0 or min([heights[a] for a in args]) >= 0
        if function in _PRODUCTS:
            # One factor takes it: the one that can hand it on, as cotangents do.
            if not alone:
                return True
            best = max([heights[a] for a in args])
            return register == [a for a in args if heights[a] == best][-1]
        return function in ("sum", "negative") or (function == "divide" and args[0] == register)


def _is_sum(step: Step) -> bool:
    return step.action == "call" and step.detail("function") in _SUMS


@lru_cache(maxsize=1024)
def _size(shape: Shape) -> int:
    size = shape_size(shape)
    return CALL + size_value(size, dict.fromkeys(size_names(size), TYPICAL_SIZE))


def _elements(program: Program, registers: set[int]) -> int:
    return sum(_size(program.steps[r].shape) for r in registers)
