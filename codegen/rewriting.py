"""A program being written out again, most steps as they are: what passes over programs build on."""

from __future__ import annotations

from collections.abc import Sequence

from codegen.builder import Builder, rewritten
from codegen.program import Program, Step


class Rewriting:
    """The new steps so far; ``place`` says where each value of the program is now."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.builder = Builder("")
        self.place: dict[int, int] = {}

    def written(self, step: Step) -> int:
        """The step as it is."""
        return self.builder.append(step.moved(step.dest, tuple([self.at(a) for a in step.args])))

    def at(self, register: int) -> int:
        """Where a value stands; it may be wanted before its turn, if what it is made of is there
        or can be."""
        if register not in self.place:
            self.place[register] = self.written(self.program.steps[register])
        return self.place[register]

    def product(self, factors: Sequence[tuple[int, float]], coefficient: float, like: Step) -> int:
        """A product of new values to powers, of the shape and dtype of a step."""
        if len(factors) == 1 and factors[0][1] == 1 and coefficient == 1:
            return factors[0][0]
        return self.builder.emit(
            "mul",
            [register for register, _ in factors],
            shape=like.shape,
            dtype=like.dtype,
            exponents=tuple(e for _, e in factors),
            coefficient=coefficient,
        )

    def total(self, terms: Sequence[tuple[int, float]], like: Step, constant: float = 0.0) -> int:
        """A sum of multiples of new values, of the shape and dtype of a step."""
        return self.builder.emit(
            "add",
            [register for register, _ in terms],
            shape=like.shape,
            dtype=like.dtype,
            coefficients=tuple(c for _, c in terms),
            constant=constant,
        )

    def finished(self) -> Program:
        """The program as written, values under the names of their nodes."""
        for register, node in self.program.nodes.items():
            if register in self.place:
                self.builder.nodes.setdefault(self.place[register], node)
        return rewritten(self.program, self.builder, self.place)
