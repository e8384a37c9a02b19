"""A model as read from a spec: graphs, and what the emitted module has to say of where it is from.

Everything downstream (differentiation, printing, the command line) starts from a Model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symdiff.expr.movement import reshape
from symdiff.expr.node import Node
from symdiff.expr.shapes import Size, shape_size, size_names


@dataclass(frozen=True)
class Parameter:
    """One parameter: its node, and how ``init`` draws it (``value`` is for "constant")."""

    node: Node
    init: str
    value: float | None = None
    trainable: bool = True


@dataclass(frozen=True)
class Equation:
    """One equation: its node, its formula as written (or as a layer stands for it), its place."""

    node: Node
    text: str
    line: int
    column: int


@dataclass(frozen=True)
class Model:
    """One network with its loss; all mappings are in the spec's order.

    ``dims`` are the sizes fixed by number; a size that is still a name is read from the data.
    ``examples`` are the axes of the data whose places are the examples.  ``per_example`` has shape
    (batch,), or with other examples begins with the first of their axes; ``loss`` is its
    ``reduction`` plus ``regularizer``, if any.  ``split`` are the axes that the batch is split
    into, if it is: inputs and ``per_example`` have them, equations one axis of all their places.
    ``source`` is the file as the user named it, ``sha256`` the hash of its bytes, ``warnings`` one
    line of text each, ``loss_place`` the line and column of the loss.  ``functions`` maps
    "name(parameters)" to its formula.
    """

    name: str
    dtype: str
    source: str
    sha256: str
    dims: Mapping[str, int]
    inputs: Mapping[str, Node]
    parameters: Mapping[str, Parameter]
    functions: Mapping[str, str]
    equations: Mapping[str, Equation]
    outputs: tuple[str, ...]
    per_example: Node
    per_example_text: str
    reduction: str
    regularizer: Node | None
    regularizer_text: str | None
    warnings: tuple[str, ...]
    examples: tuple[str, ...] = ("batch",)
    split: tuple[str, ...] = ()
    loss_place: tuple[int, int] = (1, 1)

    def place_of(self, error: ValueError) -> tuple[int, int]:
        """Line and column of the equation that an error is about; else of the loss."""
        equation = self.equations.get(str(getattr(error, "equation", "")))
        return self.loss_place if equation is None else (equation.line, equation.column)

    @property
    def trainable(self) -> dict[str, Node]:
        """The trainable parameters' nodes by name."""
        return {name: p.node for name, p in self.parameters.items() if p.trainable}

    @property
    def values(self) -> dict[str, Node]:
        """Every named node: inputs, parameters and equations."""
        return {
            **self.inputs,
            **{name: p.node for name, p in self.parameters.items()},
            **{name: equation.node for name, equation in self.equations.items()},
        }

    @property
    def rows(self) -> Size:
        """What a mean over the examples' losses divides by: the number of rows of the data."""
        return shape_size(self.split or self.examples[:1])

    def shown(self, node: Node) -> Node:
        """A value of an equation as it is returned: with the axes of the data in front."""
        if self.split and node.shape[:1] == (self.rows,):
            return reshape(node, (*self.split, *node.shape[1:]))
        return node

    @property
    def output_nodes(self) -> dict[str, Node]:
        """The outputs' nodes by name."""
        values = self.values
        return {name: values[name] for name in self.outputs}

    @property
    def names(self) -> dict[Node, str]:
        """The name of each named node; the first name where a node has several."""
        result: dict[Node, str] = {}
        for name, node in self.values.items():
            result.setdefault(node, name)
        return result

    @property
    def free_sizes(self) -> tuple[str, ...]:
        """The sizes that are read from the data, in order of first appearance."""
        nodes = [*self.inputs.values(), *(p.node for p in self.parameters.values())]
        found = [n for node in nodes for size in node.shape for n in sorted(size_names(size))]
        return tuple(dict.fromkeys(found))
