"""Graphs as modules, for tests: a few lines from nodes to a loaded module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from codegen import FunctionBody, ModuleDescription, Parameter, emit, load_module
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.graph import leaves
from symdiff.expr.node import Node


def describe_graph(
    outputs: Mapping[str, Node],
    dtype: str = "float64",
    more_leaves: Sequence[Node] = (),
    **settings: Any,
) -> ModuleDescription:
    """A module whose ``forward`` takes the graph's inputs and returns the outputs as a dict."""
    roots = [*outputs.values(), *more_leaves]
    found = sorted(leaves(roots, "input"), key=lambda node: str(node.attr("name")))
    parameters = leaves(roots, "parameter")
    return ModuleDescription(
        name="graph",
        dtype=dtype,
        version="0.0",
        spec_sha256="0" * 64,
        source="a graph",
        inputs={node.attr("name"): node for node in found},
        parameters={node.attr("name"): Parameter(node) for node in parameters},
        functions={"forward": FunctionBody(dict(outputs))},
        **settings,
    )


def loaded(description: ModuleDescription) -> ModuleType:
    """The emitted module."""
    return load_module(emit(description), description.name)


def run_graph(
    outputs: Mapping[str, Node],
    values: Mapping[str, Any],
    dtype: str = "float64",
    more_leaves: Sequence[Node] = (),
) -> dict[str, Any]:
    """The outputs, computed by the emitted module."""
    description = describe_graph(outputs, dtype, more_leaves)
    params = {name: values[name] for name in description.parameters}
    result = loaded(description).forward(params, *(values[name] for name in description.inputs))
    assert isinstance(result, dict)
    return result


def lines_of(outputs: Mapping[str, Node], dtype: str = "float64", **settings: Any) -> list[str]:
    """The lines of the kernel that computes the outputs, without its head and return."""
    text = emit(describe_graph(outputs, dtype, plain=True, **settings))
    kernel = text[text.index("def _forward(") :].split("\n\n\n")[0]
    return [line.strip() for line in kernel.splitlines()[1:]]


def line_of(node: Node, dtype: str = "float64", name: str = "out") -> str:
    """The expression that the kernel computes the node by, where it takes one line."""
    (line,) = [x for x in lines_of({name: node}, dtype) if x.startswith(f"{name} = ")]
    return line.removeprefix(f"{name} = ")


def network(dtype: str = "float64", **settings: Any) -> ModuleDescription:
    """Inputs x and labels y, one hidden layer, cross-entropy with weight decay, all functions
    that plain reverse mode gives."""
    with b.default_dtype(dtype):
        x = b.input("x", ("batch", 4), dtype)
        y = b.input("y", ("batch",), "int64", labels=3)
        params = {
            "W1": b.parameter("W1", (4, 5), dtype),
            "b1": b.parameter("b1", (5,), dtype),
            "W2": b.parameter("W2", (5, 3), dtype),
            "b2": b.parameter("b2", (3,), dtype),
        }
        h = b.tanh(x @ params["W1"] + params["b1"])
        z = h @ params["W2"] + params["b2"]
        q = b.softmax(z)
        losses = -b.log_softmax(z)[b.arange("batch"), y]
        decay = 0.01 * ((params["W1"] ** 2).sum() + (params["W2"] ** 2).sum())
        described = trained({"x": x, "y": y}, params, q, losses, decay, dtype, **settings)
    named = {h: "h", z: "z", q: "q"}
    equations = {h: "h = tanh(x @ W1 + b1)", z: "z = h @ W2 + b2", q: "q = softmax(z)"}
    return replace_names(described, named, equations)


def trained(
    inputs: Mapping[str, Node],
    params: Mapping[str, Node],
    output: Node,
    losses: Node,
    regularizer: Node | None = None,
    dtype: str = "float64",
    forward_inputs: Sequence[str] = ("x",),
    **settings: Any,
) -> ModuleDescription:
    """A model with a mean loss; per-example norms by a batched copy of each parameter."""
    total = losses.mean() if regularizer is None else losses.mean() + regularizer
    grads = dict(zip(params, gradients(total, list(params.values())), strict=True))
    v = {name: b.input(f"v[{name}]", node.shape, dtype) for name, node in params.items()}
    slope = sum((grads[name] * v[name]).sum() for name in params)
    hvp = dict(zip(params, gradients(slope, list(params.values())), strict=True))
    own = None
    if regularizer is not None:
        own = dict(zip(params, gradients(regularizer, list(params.values())), strict=True))
    given: dict[str, Any] = {
        "name": "net",
        "dtype": dtype,
        "version": "0.0",
        "spec_sha256": "0" * 64,
        "source": "net.toml",
        "inputs": inputs,
        "parameters": {
            name: Parameter(node, "glorot_uniform" if node.ndim > 1 else "zeros")
            for name, node in params.items()
        },
        "functions": {
            "forward": FunctionBody(output, tuple(forward_inputs)),
            "loss": FunctionBody(total),
            "backward": FunctionBody((total, grads)),
            "hvp": FunctionBody(hvp, v=v),
        },
        "regularizer_gradient": own,
    }
    return ModuleDescription(**{**given, **settings})


def replace_names(
    description: ModuleDescription, names: Mapping[Node, str], comments: Mapping[Node, str]
) -> ModuleDescription:
    """The description with names and comments for nodes."""
    from dataclasses import replace

    return replace(description, names=names, comments=comments)


def arguments(description: ModuleDescription, batch: int = 6, seed: int = 0) -> dict[str, Any]:
    """Random values for the inputs of :func:`network`."""
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(size=(batch, 4)).astype(description.dtype),
        "y": rng.integers(0, 3, batch),
    }
