"""What a module is made from: graphs for its functions, and everything to be said around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from codegen.functions import FunctionBody, Surroundings
from codegen.names import FUNCTIONS, Names
from codegen.parameters import Parameter
from codegen.program import Program
from codegen.style import ModuleUse
from codegen.support_text import IMPORTS, TABLES, support_functions
from symdiff.expr.node import Node
from symdiff.expr.shapes import shape_text


@dataclass(frozen=True, slots=True)
class ModuleDescription:
    """Everything that a module is made from; every graph is differentiated and simplified.

    ``functions`` and ``unavailable`` (function → why it cannot be had) are keyed by the names of
    the contract.  ``notes`` stand in the header.  ``names`` says what values are to be called and
    ``comments`` which equation a value computes; the order of ``names`` is the order in which a
    reader expects them.  ``reduction`` ("mean" or "sum") and ``regularizer_gradient`` (parameter →
    gradient of what the loss adds to its examples'; None if nothing) are what the module's own
    check of per-example functions has to know.  ``examples`` are the axes whose places are the
    examples; norms along several the module does not check.  ``rows`` are the first axes of the
    data over which the reduction goes, the examples' being the first.  ``plain`` text has
    expressions and no buffers.  ``programs`` are those of functions that are not to be computed as
    their graphs alone would have it, but hold less at a time.
    """

    name: str
    dtype: str
    version: str
    spec_sha256: str
    source: str
    inputs: Mapping[str, Node]
    parameters: Mapping[str, Parameter]
    functions: Mapping[str, FunctionBody]
    unavailable: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    names: Mapping[Node, str] = field(default_factory=dict)
    comments: Mapping[Node, str] = field(default_factory=dict)
    reduction: str = "mean"
    examples: tuple[str, ...] = ("batch",)
    rows: tuple[str, ...] = ("batch",)
    regularizer_gradient: Mapping[str, Node] | None = None
    plain: bool = False
    programs: Mapping[str, Program] = field(default_factory=dict)

    @property
    def trainable(self) -> list[str]:
        """The names of the trainable parameters, in order."""
        return [name for name, p in self.parameters.items() if p.trainable]

    def user_names(self) -> set[str]:
        """Every name that the module's own things have to keep clear of."""
        nodes = [*self.inputs.values(), *(p.node for p in self.parameters.values())]
        sizes = {str(size) for node in nodes for size in node.shape if not isinstance(size, int)}
        return {*self.inputs, *self.parameters, *self.names.values(), *sizes}


def surroundings(description: ModuleDescription) -> Surroundings:
    """What the functions of the module share; every name of its own is settled here.

    Raises ValueError for what no module can hold.
    """
    for name, node in [
        *description.inputs.items(),
        *((name, p.node) for name, p in description.parameters.items()),
    ]:
        if not all(isinstance(size, (int, str)) for size in node.shape):
            raise ValueError(
                f"emit: {name} has shape {shape_text(node.shape)}; the sizes of inputs and "
                "parameters are numbers or names"
            )
    unknown = [name for name in description.functions if name not in FUNCTIONS]
    if unknown:
        raise ValueError(f"emit: no module has a function {', '.join(unknown)}")
    names = Names(description.user_names())
    arguments = "params v max_norm max_norms weight work check_facts sizes dtype seed rng d flat"
    own = (*IMPORTS, *arguments.split())
    for name in (*own, *TABLES, *support_functions(), *(f"_{f}" for f in FUNCTIONS)):
        names.own(name)
    return Surroundings(
        description.dtype,
        description.inputs,
        {name: p.node for name, p in description.parameters.items()},
        description.names,
        description.comments,
        names,
        ModuleUse(),
        description.plain,
        description.examples,
        description.programs,
    )
