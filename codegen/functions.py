"""What an emitted function computes, and the program that does it.

The public function (:mod:`codegen.public`) looks at its arguments; the kernel
(:mod:`codegen.kernel`) computes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from codegen.at_hand import with_products_at_hand
from codegen.building import Asked, build_program
from codegen.limits import Limit
from codegen.names import CHECKED_FACTS, Names
from codegen.narrow import narrow_products
from codegen.operations import single_calls
from codegen.program import Program
from codegen.scaling import scaled_early
from codegen.sharing import shared_products
from codegen.style import ModuleUse
from symdiff.expr.node import Node

Result: TypeAlias = "Node | Mapping[str, Node] | tuple[Node | Mapping[str, Node], ...]"


@dataclass(frozen=True, slots=True)
class FunctionBody:
    """What one function computes.

    ``result`` has the structure of what is returned: a node, a dict of nodes, or a tuple of
    those.  ``inputs`` names the inputs that the function takes (None: all).  ``v`` gives the nodes
    that stand for the entries of hvp's argument v (None: it is not hvp); ``max_norm`` the one
    that stands for clipped_backward's bound; ``bounds`` those of clipped_by_parameter, by
    parameter; ``weights`` the examples' weights by parameter, which the caller's function makes of
    the last part of the result.  Those are input nodes under names that no spec has.  ``limits``
    are looked at before anything is computed.
    """

    result: Result
    inputs: tuple[str, ...] | None = None
    v: Mapping[str, Node] | None = None
    max_norm: Node | None = None
    bounds: Mapping[str, Node] | None = None
    weights: Mapping[str, Node] | None = None
    limits: Sequence[Limit] = ()

    @property
    def takes_only_data(self) -> bool:
        """Whether it takes nothing but parameters and inputs."""
        return all(x is None for x in (self.v, self.max_norm, self.bounds, self.weights))

    def roots(self) -> dict[str, Node]:
        """The nodes of the result, each under a label: its place, and its key."""
        parts = self.result if isinstance(self.result, tuple) else (self.result,)
        roots = {}
        for place, part in enumerate(parts):
            if isinstance(part, Node):
                roots[f"{place}"] = part
            else:
                roots.update({f"{place}.{key}": node for key, node in part.items()})
        return roots


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all functions of a module share."""

    dtype: str
    inputs: Mapping[str, Node]
    parameters: Mapping[str, Node]
    preferred: Mapping[Node, str]
    comments: Mapping[Node, str]
    names: Names
    use: ModuleUse
    plain: bool = False
    examples: tuple[str, ...] = ("batch",)
    programs: Mapping[str, Program] = field(default_factory=dict)

    @property
    def sizes(self) -> list[str]:
        """The sizes that are names, in order."""
        nodes = [*self.inputs.values(), *self.parameters.values()]
        return list(dict.fromkeys(s for node in nodes for s in node.shape if isinstance(s, str)))


def function_program(around: Surroundings, body: FunctionBody) -> Program:
    """The program of a function, in the order in which the spec names its values."""
    leaves = [*around.parameters.values(), *(body.v or {}).values(), *around.inputs.values()]
    asked = None
    if body.weights is not None:
        parts = body.result if isinstance(body.result, tuple) else (body.result,)
        given = parts[-1]
        assert not isinstance(given, Node)
        asked = Asked(body.weights, given)
    first = [*leaves, *around.preferred]
    early = not around.plain
    program = build_program(body.roots(), around.dtype, first, asked=asked, early=early)
    if around.plain:
        return program
    return scaled_early(
        single_calls(narrow_products(shared_products(with_products_at_hand(program))))
    )


def kernel_name(around: Surroundings, function: str) -> str:
    """What the kernel of a function is called."""
    return around.names.own(function if function.startswith("_") else f"_{function}")


def taken_inputs(around: Surroundings, body: FunctionBody) -> list[str]:
    """The inputs that a function takes, in order."""
    return [name for name in around.inputs if body.inputs is None or name in body.inputs]


def declared_facts(node: Node) -> dict[str, Any]:
    """What is declared of an input, without what is declared not to be."""
    return {key: value for key, value in node.attr("declared") if value not in (False, None)}


def with_facts(inputs: Mapping[str, Node]) -> list[str]:
    """Those of the inputs of which something is declared that is looked at on demand."""
    return [
        name
        for name, node in inputs.items()
        if any(fact in CHECKED_FACTS for fact in declared_facts(node))
    ]


def arguments_of(around: Surroundings, body: FunctionBody) -> list[str]:
    """The arguments of a function and of its kernel, in order."""
    names = around.names
    arguments = [names.own("params")]
    if body.v is not None:
        arguments.append(names.own("v"))
    arguments += taken_inputs(around, body)
    if body.max_norm is not None:
        arguments.append(names.own("max_norm"))
    if body.bounds is not None:
        arguments.append(names.own("max_norms"))
    if body.weights is not None:
        arguments.append(names.own("weight"))
    return arguments


def work_name(around: Surroundings) -> str:
    """What the argument is called that keeps buffers between calls."""
    return around.names.own("work")
