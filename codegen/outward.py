"""Products of arrays that are all indexed alike, as products indexed once: for single formulas.

``a[:, 0] * b[:, 0]`` multiplies what ``a * b`` does, which other products may have as a part:
inserting and dropping axes of size 1 costs nothing and leaves the elements as they are.
"""

from __future__ import annotations

from codegen.program import Program, Step
from codegen.rewriting import Rewriting
from codegen.views import index
from symdiff.expr.shapes import broadcast_shapes


def views_outward(program: Program) -> Program:
    """The program with such products of what is indexed."""
    return _Outward(program).run()


class _Outward(Rewriting):
    def run(self) -> Program:
        for step in self.program.steps:
            plain = step.action == "mul" and not step.weak
            made = self.indexed_product(step) if plain else None
            self.place[step.dest] = self.written(step) if made is None else made
        return self.finished()

    def indexed_product(self, step: Step) -> int | None:
        """A product of arrays as an indexing of the product of what they are indexed from."""
        steps = self.program.steps
        arrays = [arg for arg in step.args if steps[arg].shape]
        views = [steps[arg] for arg in arrays]
        if len(views) < 2 or any(view.action != "index" for view in views):
            return None
        sources = {arg: steps[steps[arg].args[0]] for arg in arrays}
        alike = {(steps[x].detail("items"), source.shape) for x, source in sources.items()}
        if len(alike) > 1 or any(view.shape != step.shape for view in views):
            return None
        factors = [self.at(sources[arg].dest if arg in sources else arg) for arg in step.args]
        if len(set(factors)) < len(factors):
            return None
        product = self.builder.emit(
            "mul",
            factors,
            shape=broadcast_shapes(*(self.builder.steps[x].shape for x in factors)),
            dtype=step.dtype,
            exponents=step.detail("exponents"),
            coefficient=step.detail("coefficient"),
        )
        return index(self.builder, product, views[0].detail("items"))
