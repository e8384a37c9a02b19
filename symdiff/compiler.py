"""The facade's glue: from a spec or a graph to an emitted module."""

from __future__ import annotations

import hashlib
import keyword
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType

from codegen.check import emit_tests
from codegen.description import ModuleDescription
from codegen.functions import FunctionBody
from codegen.limits import limits_of
from codegen.load import load_module
from codegen.module import emit
from codegen.parameters import Parameter as Emitted
from symdiff import __version__
from symdiff.errors import Fault, SpecError, did_you_mean
from symdiff.expr.collecting import no_collections
from symdiff.expr.graph import leaves
from symdiff.expr.node import Node
from symdiff.expr.numbers import FLOATS
from symdiff.functions import (
    FUNCTIONS,
    ON_REQUEST,
    ModuleFunctions,
    UnavailableError,
    module_functions,
)
from symdiff.inspect.model import inspect_model
from symdiff.memory_limit import within_memory
from symdiff.spec.declare import BATCH
from symdiff.spec.load import load
from symdiff.spec.model import Equation, Model, Parameter
from symdiff.spec.write import equations_text

#: What emitted text is made of: calls into kept arrays, or expressions, for reading and teaching.
STYLES = ("buffered", "plain")


@dataclass(frozen=True)
class Compiled:
    """A compiled model: the module's text, what is to be said about it, and ways to use it."""

    model: Model
    description: ModuleDescription
    made: ModuleFunctions

    @cached_property
    def source(self) -> str:
        """The text of the module; the same for the same spec and version, byte for byte."""
        with no_collections():
            return emit(self.description)

    @property
    def warnings(self) -> list[str]:
        """One line each: what is unused, and which functions cannot be had and why."""
        missing = self.description.unavailable.items()
        return [
            *self.model.warnings,
            *(f"{self._place(name)}: warning: no {name}: {why}" for name, why in missing),
        ]

    def _place(self, function: str) -> str:
        line, column = self.made.places[function]
        return f"{self.model.source}:{line}:{column}"

    def module(self) -> ModuleType:
        """The module, loaded in memory."""
        return load_module(self.source, self.model.name)

    def tests_for(self, module: Path, tests: Path) -> str:
        """The text of a pytest file at ``tests`` for the module at ``module``."""
        relative = os.path.relpath(module.resolve(), tests.resolve().parent)
        return emit_tests(self.description, Path(relative).as_posix())

    def check(self) -> int:
        """Run the module's own checks, as ``python module.py --check`` does; its exit status."""
        with tempfile.TemporaryDirectory(prefix="symdiff-") as folder:
            path = Path(folder) / f"{self.model.name}.py"
            path.write_text(self.source, encoding="utf-8", newline="\n")
            return subprocess.run([sys.executable, str(path), "--check"], check=False).returncode


def compile_spec(
    spec: str | os.PathLike[str],
    functions: Sequence[str] | None = None,
    *,
    style: str = "buffered",
    example_axis: str | Sequence[str] = BATCH,
    memory: str | int | None = None,
    at: Mapping[str, int] | None = None,
) -> Compiled:
    """Compile a spec (a path, or its text).

    ``functions`` asks for these only; ``style`` is one of STYLES; ``example_axis`` names the axis
    of the inputs, or the axes, whose places are the examples.  ``memory`` is a limit (bytes, or
    text such as "64MB") on the arrays that a call makes where the open sizes are ``at``: values
    are computed again to stay within it.  Raises SpecError for a faulty spec, where a function
    that was asked for is unknown or cannot be had, and where the limit cannot be met.
    """
    model = load(spec, _axes(example_axis))
    return compile_model(model, functions, style=style, memory=memory, at=at)


def _axes(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def inspect_spec(
    spec: str | os.PathLike[str],
    wrt: Sequence[str],
    of: str,
    form: str,
    *,
    raw: bool = False,
    trace: bool = False,
    equations: bool = False,
    example_axis: str | Sequence[str] = BATCH,
) -> str:
    """What ``symdiff inspect`` prints of a spec, as ``form`` "text", "latex" or "json".

    With ``equations``, the equations that the spec stands for, as TOML.  Errors as in load and
    inspect_model.
    """
    model = load(spec, _axes(example_axis))
    if equations:
        return equations_text(model)
    if model.split and of != "norms":  # the loss is what it is, of one batch
        model = load(spec)
    found = inspect_model(model, wrt, of, raw)
    forms = {
        "text": lambda: found.to_text(trace),
        "latex": found.to_latex,
        "json": found.to_json,
    }
    return forms[form]()


def compile_model(
    model: Model,
    functions: Sequence[str] | None = None,
    *,
    style: str = "buffered",
    memory: str | int | None = None,
    at: Mapping[str, int] | None = None,
) -> Compiled:
    """Compile a model.  Errors as in compile_spec."""
    if style not in STYLES:
        raise ValueError(f"compile: style {style!r} is none of {', '.join(STYLES)}")
    if memory is None and at:
        raise ValueError("compile: at= says where memory= is to hold, which is not given")
    if memory is not None and style == "plain":
        raise ValueError("compile: memory= goes with style 'buffered': plain text keeps all")
    known = (*FUNCTIONS, *ON_REQUEST)
    unknown = [f for f in functions or () if f not in known]
    if unknown:
        hints = (f"no function {f!r}{did_you_mean(f, known)}" for f in unknown)
        raise SpecError(model.source, [Fault(1, 1, text) for text in hints])
    try:
        with no_collections():
            made = module_functions(model, functions)
    except UnavailableError as error:
        raise SpecError(model.source, [Fault(*error.place, str(error))]) from None
    bodies = {}
    names = model.names
    own = [] if model.regularizer is None else [model.regularizer]
    limits = limits_of([model.per_example, *own], names)
    shown = limits_of(model.output_nodes.values(), names)
    for name, parts in made.functions.items():
        result = parts.parts[0] if len(parts.parts) == 1 else parts.parts
        bodies[name] = FunctionBody(
            result,
            parts.takes,
            parts.v,
            parts.max_norm,
            parts.bounds,
            parts.weights,
            shown if name == "forward" else limits,
        )
    parameters = {
        name: Emitted(p.node, p.init, p.value, p.trainable) for name, p in model.parameters.items()
    }
    description = ModuleDescription(
        name=model.name,
        dtype=model.dtype,
        version=__version__,
        spec_sha256=model.sha256,
        source=Path(model.source).name,
        inputs=model.inputs,
        parameters=parameters,
        functions=bodies,
        unavailable=made.unavailable,
        notes=[*_examples_note(model), *_assumptions(made.assumptions)],
        names=made.names,
        comments={**made.comments, **_comments(model, made.names)},
        reduction=model.reduction,
        examples=model.examples,
        rows=model.split or model.examples[:1],
        regularizer_gradient=made.regularizer_gradients,
        plain=style == "plain",
    )
    if memory is not None:
        description = within_memory(description, model, memory, at or {})
    return Compiled(model, description, made)


def _examples_note(model: Model) -> list[str]:
    """What an example is, where it is not a place along batch."""
    if model.examples == (BATCH,):
        return []
    said = f"An example is a place along {', '.join(model.examples)}; norms have these axes."
    if not model.split:
        return [said]
    rows = " x ".join(model.split)
    first, *rest = model.split
    return [
        f"{said} The batch of the spec is {rows}: inputs have these axes in its place, and the "
        f"losses of each {first} are added up over {', '.join(rest)}."
    ]


def _assumptions(facts: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(
        f"Simplified on the word of the spec: {x} has {fact}." for x, fact in sorted(facts)
    )


def _comments(model: Model, names: Mapping[Node, str]) -> dict[Node, str]:
    """The equation above the lines that compute each of the spec's names."""
    return {
        node: f"{name} = {model.equations[name].text}"
        for node, name in names.items()
        if name in model.equations and model.equations[name].text != name
    }


def compile(
    spec: str | os.PathLike[str] | None = None,
    *,
    outputs: Mapping[str, Node] | None = None,
    per_example: Node | None = None,
    reduction: str = "mean",
    regularizer: Node | None = None,
    name: str = "module",
    functions: Sequence[str] | None = None,
    example_axis: str | Sequence[str] = BATCH,
    style: str = "buffered",
    memory: str | int | None = None,
    at: Mapping[str, int] | None = None,
) -> ModuleType:
    """The emitted module of a spec or of a graph, loaded in memory.

    ``spec`` is a path or the TOML text; or else ``outputs`` names the nodes that forward returns,
    ``per_example`` is the vector of losses (batch,), reduced by ``reduction`` ("mean" or "sum")
    and added to the scalar ``regularizer``.  Inputs and parameters are taken in the order in which
    the graphs first use them.  ``style`` is one of STYLES; ``memory`` and ``at`` are as in
    compile_spec.  Raises SpecError, TypeError or ShapeError for faulty arguments.
    """
    if (spec is None) == (outputs is None):
        raise TypeError("compile: a spec, or outputs= and per_example=, is expected")
    if spec is not None:
        if per_example is not None or regularizer is not None:
            raise TypeError("compile: a spec says its own loss; per_example= goes with outputs=")
        compiled = compile_spec(
            spec, functions, style=style, example_axis=example_axis, memory=memory, at=at
        )
        return compiled.module()
    if per_example is None:
        raise TypeError("compile: per_example= is missing: the vector of losses, one an example")
    axes = _axes(example_axis)
    model = graph_model(name, dict(outputs or {}), per_example, reduction, regularizer, axes)
    return compile_model(model, functions, style=style, memory=memory, at=at).module()


def graph_model(
    name: str,
    outputs: Mapping[str, Node],
    per_example: Node,
    reduction: str = "mean",
    regularizer: Node | None = None,
    examples: tuple[str, ...] = (BATCH,),
) -> Model:
    """The Model of a graph built in Python, as if it had been read from a spec.

    Raises ValueError where names clash or are no identifiers, or the loss is no vector of losses.
    """
    if "/" in examples[0]:
        raise ValueError(
            f"compile: example_axis {examples[0]!r} splits the batch of a spec; of a graph, give "
            "the inputs these axes and let per_example have them"
        )
    if reduction not in ("mean", "sum"):
        raise ValueError(f"compile: reduction {reduction!r} is neither 'mean' nor 'sum'")
    if per_example.shape[:1] != examples[:1] or (examples == (BATCH,) and per_example.ndim > 1):
        shape = per_example.shape
        raise ValueError(f"compile: per_example has shape {shape}, not {examples[:1]}")
    if regularizer is not None and regularizer.shape != ():
        raise ValueError(f"compile: regularizer has shape {regularizer.shape}, not ()")
    roots = [*outputs.values(), per_example, *([] if regularizer is None else [regularizer])]
    inputs = {x.attr("name"): x for x in leaves(roots, "input")}
    parameters = {p.attr("name"): p for p in leaves(roots, "parameter")}
    named = {**inputs, **parameters}
    computed = {k: node for k, node in outputs.items() if named.get(k) is not node}
    labels = [*(x.attr("name") for x in leaves(roots)), *computed]
    for label in labels:
        if not label.isidentifier() or keyword.iskeyword(label) or labels.count(label) > 1:
            raise ValueError(f"compile: {label!r} is no identifier, or names two things")
    if regularizer is not None and leaves([regularizer], "input"):
        raise ValueError("compile: the regularizer is of parameters only")
    dtypes = {x.dtype for x in named.values() if x.dtype in FLOATS}
    if len(dtypes) > 1:
        raise ValueError("compile: inputs and parameters mix float32 and float64")
    digest = hashlib.sha256(b"".join(root.digest for root in roots)).hexdigest()
    inits = {p: "zeros" if x.ndim <= 1 else "glorot_uniform" for p, x in parameters.items()}
    return Model(
        name=name,
        dtype=dtypes.pop() if dtypes else "float64",
        source=f"<{name}>",
        sha256=digest,
        dims={},
        inputs=inputs,
        parameters={p: Parameter(x, inits[p]) for p, x in parameters.items()},
        functions={},
        equations={k: Equation(node, k, 0, 0) for k, node in computed.items()},
        outputs=tuple(outputs),
        per_example=per_example,
        per_example_text="per_example",
        reduction=reduction,
        regularizer=regularizer,
        regularizer_text=None if regularizer is None else "regularizer",
        warnings=(),
        examples=examples,
    )
