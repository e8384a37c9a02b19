"""Which steps get a line of their own, and which are written inside the line that uses them.

A value that has a name in the spec has a line.  Others are written where they are used if that is
in one place and the line stays short enough to be read; views of a name (``h.T``, ``b[:, None]``)
anywhere.  The bound on an expression also bounds its nesting, however deep the graph is.
"""

from __future__ import annotations

from collections.abc import Mapping

from codegen.elementwise import needs_name
from codegen.expression import Text
from codegen.numpy_table import print_step
from codegen.program import COMPOUND, LEAVES, VIEWS, Program, Step
from codegen.style import Style

#: Bounds on an expression written inside another, and on a whole line's expression.
INNER_OPERATIONS, INNER_WIDTH = 4, 44
LINE_OPERATIONS, LINE_WIDTH = 8, 74
LONG_SUM = 300

#: What a temporary counts as while names are not yet given.
_SOME_NAME = Text("t10")


def choose_inlined(
    program: Program,
    style: Style,
    names: Mapping[int, str],
    outside: Mapping[int, Text] | None = None,
) -> frozenset[int]:
    """The registers that get no line; those that have names, which leaves do, all get one.

    ``outside`` gives the texts of what a block reads from around it.
    """
    return _Choice(program, style, names, outside or {}).run()


class _Choice:
    def __init__(
        self,
        program: Program,
        style: Style,
        names: Mapping[int, str],
        outside: Mapping[int, Text],
    ) -> None:
        self.outside = outside
        self.program = program
        self.style = style
        self.names = {register: Text(name) for register, name in names.items()}
        self.texts: dict[int, Text] = {}
        self.inlined: set[int] = set()
        self.uses = {register: len(users) for register, users in program.readers.items()}
        for register in program.results.values():
            self.uses[register] += 1
        self.must_be_names = {
            arg for step in program.steps for arg in _written_twice(program, step)
        }

    def run(self) -> frozenset[int]:
        for step in self.program.steps:
            if step.dest in self.outside:
                self.texts[step.dest] = self.outside[step.dest]
                continue
            if step.action in ("leaf", "pick") or step.action in COMPOUND:
                self.texts[step.dest] = self.names.get(step.dest, _SOME_NAME)
                continue
            if self.is_plain_call(step):
                self.texts[step.dest] = self.names.get(step.dest, _SOME_NAME)
                continue
            text = self.text(step)
            if self.is_inlined(step, text):
                self.inlined.add(step.dest)
                self.texts[step.dest] = text
            else:
                self.texts[step.dest] = self.names.get(step.dest, _SOME_NAME)
        return frozenset(self.inlined)

    def is_plain_call(self, step: Step) -> bool:
        """Whether the step has a line, of a call of NumPy's, that is short whatever it reads."""
        if step.action != "call" or step.detail("function").startswith("_"):
            return False
        return not any(map(self.is_heavy, step.args))

    def text(self, step: Step) -> Text:
        """The step's expression, after giving lines to arguments until it is short enough."""
        while True:
            text = self.printed(step)
            heavy = [arg for arg in step.args if self.is_heavy(arg)]
            if not heavy or self.fits(step, text):
                return text
            heaviest = max(heavy, key=self.weight)
            self.inlined.discard(heaviest)
            self.texts[heaviest] = _SOME_NAME

    def fits(self, step: Step, text: Text) -> bool:
        """Whether a line may hold the expression; sums of small terms may take several lines."""
        if step.action == "add" and all(self.texts[a].operations <= 2 for a in step.args):
            return len(text.code) <= LONG_SUM
        return text.operations <= LINE_OPERATIONS and len(text.code) <= LINE_WIDTH

    def is_heavy(self, register: int) -> bool:
        """Whether a line gets shorter if the register has one of its own."""
        return register in self.inlined and self.weight(register) > 0

    def weight(self, register: int) -> int:
        text = self.texts[register]
        return text.operations * len(text.code)

    def printed(self, step: Step) -> Text:
        sources = [self.program.steps[arg] for arg in step.args]
        return print_step(self.style, step, [self.texts[arg] for arg in step.args], sources)

    def is_inlined(self, step: Step, text: Text) -> bool:
        if step.dest in self.names:
            return False
        if step.action in LEAVES:
            return True
        if step.dest in self.must_be_names or step.action == "call" or step.is_constant:
            return False
        if step.action == "reshape" and self.program.steps[step.args[0]].action == "call":
            return False  # the same memory in another shape, to be written over by its own name
        small = text.operations <= INNER_OPERATIONS and len(text.code) <= INNER_WIDTH
        if (step.action in VIEWS and text.operations == 0) or (step.weak and text.operations < 2):
            return small
        return small and self.uses[step.dest] == 1


def _written_twice(program: Program, step: Step) -> list[int]:
    """The arguments that the step's expression repeats; a block does so once a round."""
    if step.action in COMPOUND:
        read_once, indexed = step.detail("read_once"), step.detail("indexed")
        return [
            arg
            for place, arg in enumerate(step.args)
            if place not in read_once
            and (place in indexed or program.steps[arg].action not in VIEWS)
        ]
    if step.action != "mul":
        return []
    pairs = zip(step.args, step.detail("exponents"), strict=True)
    return [arg for arg, e in pairs if needs_name(len(program.steps[arg].shape), e)]
