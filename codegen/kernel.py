"""Kernels: the part of an emitted function that reads its arguments, computes and returns.

A kernel follows the dtype of its arguments, so that a float32 module can check its own derivatives
in float64.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codegen.functions import (
    FunctionBody,
    Surroundings,
    arguments_of,
    function_program,
    kernel_name,
    taken_inputs,
    work_name,
)
from codegen.limits import Limit
from codegen.lines import INDENT, WIDTH, indented, quoted
from codegen.names import FUNCTIONS, Locals
from codegen.parameters import broken_signature
from codegen.program import Program
from codegen.roles import ROLES
from codegen.style import Style
from codegen.writer import Body, write_body
from symdiff.expr.node import Node


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel as lines: ``reads`` unpack its arguments, ``written`` computes."""

    program: Program
    style: Style
    leaves: Mapping[Node, str]
    reads: Sequence[str]
    written: Body


def write_kernel(around: Surroundings, function: str, body: FunctionBody) -> Kernel:
    """The lines of a function's kernel, between its signature and its return."""
    names = around.names
    tight = function in around.programs
    program = around.programs[function] if tight else function_program(around, body)
    style = Style(around.dtype, names, names.own("dtype"), around.use)
    leaves, reads = _leaf_lines(around, body, program)
    local = Locals({*names.owned(), *leaves.values(), *around.sizes})
    labels = {label: _label(function, label) for label in body.roots()}
    written = write_body(
        program, style, local, leaves, around.preferred, around.comments, labels, function, tight
    )
    return Kernel(program, style, leaves, reads, written)


def kernel_text(around: Surroundings, function: str, body: FunctionBody) -> str:
    """The kernel: reads its arguments, computes, returns."""
    kernel = write_kernel(around, function, body)
    written, style = kernel.written, kernel.style
    head = [*kernel.reads, *dtype_line(around, style, kernel.program, kernel.leaves)]
    limits = [line for limit in body.limits for line in _limit_lines(around, body, style, limit)]
    head += [*size_lines(around, body, style), *limits, *written.guards]
    result = _result_lines(style, body, kernel.program, written.results)
    gap = [""] if head and written.lines else []
    return "\n".join(
        [
            *broken_signature(
                f"def {kernel_name(around, function)}",
                [*arguments_of(around, body), f"{work_name(around)}=None"],
            ),
            *([f'{INDENT}"""{ROLES[function].doc}"""'] if function not in FUNCTIONS else []),
            *indented([*head, *gap, *written.lines, *result]),
        ]
    )


def _limit_lines(around: Surroundings, body: FunctionBody, style: Style, limit: Limit) -> list[str]:
    """The line that refuses sizes that do not fit, naming an argument that has them."""
    condition = f"{style.size(limit.need).code} <= {style.size(limit.have).code}"
    owners = (
        name
        for name in taken_inputs(around, body)
        if not set(limit.names).isdisjoint(around.inputs[name].shape)
    )
    owner = next(owners, around.names.own("params"))
    said = quoted(f"{owner}: expected {condition} ({limit.what})")
    sizes = ", ".join(f'"{name}": {name}' for name in limit.names)
    arguments = [condition, said, f"{{{sizes}}}"]
    line = style.helper("_fits", *arguments)
    if len(line) <= WIDTH - len(INDENT):
        return [line]
    return [f"{line.partition('(')[0]}(", *indented(f"{a}," for a in arguments), ")"]


def _label(function: str, label: str) -> str:
    """What a result is called that has no name of its own."""
    place, _, key = label.partition(".")
    return ROLES[function].parts[int(place)].format(key or "output")


def _leaf_lines(
    around: Surroundings, body: FunctionBody, program: Program
) -> tuple[dict[Node, str], list[str]]:
    """The variable of each leaf that is read, and the lines that unpack the dicts."""
    names = around.names
    leaves = {node: name for name, node in around.inputs.items()}
    if body.max_norm is not None:
        leaves[body.max_norm] = names.own("max_norm")
    read = set(program.leaves)
    params, v = names.own("params"), names.own("v")
    leaves.update({node: name for name, node in around.parameters.items()})
    bounds = names.own("max_norms")
    for name, node in (body.v or {}).items():
        leaves[node] = names.own(f"v_{name}")
    for name, node in (body.bounds or {}).items():
        leaves[node] = names.own(f"max_{name}")
    lines = []
    tables = ((params, around.parameters), (v, body.v or {}), (bounds, body.bounds or {}))
    for table, nodes in tables:
        lines += _packed(
            [(leaves[node], f'{table}["{name}"]') for name, node in nodes.items() if node in read]
        )
    unknown = [node for node in program.leaves if node not in leaves]
    if unknown:
        said = ", ".join(str(node.attr("name")) for node in unknown)
        raise ValueError(f"emit: {said} is no input and no parameter of the module")
    return leaves, lines


def _packed(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Assignments, as many to a line as fit."""
    lines: list[str] = []
    group: list[tuple[str, str]] = []
    for pair in [*pairs, None]:
        trial = [*group, pair] if pair else group
        code = ", ".join(n for n, _ in trial) + " = " + ", ".join(value for _, value in trial)
        if pair is not None and (not group or len(code) <= WIDTH - len(INDENT)):
            group = trial
        else:
            if group:
                lines.append(
                    ", ".join(n for n, _ in group) + " = " + ", ".join(x for _, x in group)
                )
            group = [pair] if pair else []
    return lines


def dtype_line(
    around: Surroundings, style: Style, program: Program, leaves: Mapping[Node, str]
) -> list[str]:
    """Where the dtype that the function computes in is read from, if anything asks for it."""
    if not style.follows_dtype:
        return []
    params = around.names.own("params")
    sources = [leaves[node] for node in program.leaves if node.dtype == around.dtype]
    sources += [
        f'{params}["{name}"]'
        for name, node in around.parameters.items()
        if node.dtype == around.dtype
    ]
    dtypes = [*(f"{code}.dtype" for code in sources), style.call("dtype", quoted(style.dtype))]
    return [f"{style.dtype_name} = {dtypes[0]}"]


def size_lines(around: Surroundings, body: FunctionBody, style: Style) -> list[str]:
    """Where the sizes that are used are read from."""
    params = around.names.own("params")
    places = [(name, around.inputs[name]) for name in taken_inputs(around, body)]
    places += [(f'{params}["{name}"]', node) for name, node in around.parameters.items()]
    lines = []
    for size in style.sizes:
        found = next(
            ((code, node.shape.index(size)) for code, node in places if size in node.shape), None
        )
        if found is None:
            raise ValueError(f"emit: no argument has the size {size}")
        lines.append(f"{size} = {found[0]}.shape[{found[1]}]")
    return lines


def _result_lines(
    style: Style, body: FunctionBody, program: Program, results: Mapping[str, str]
) -> list[str]:
    """The return statement; arrays without axes that stand in a dict are arrays nevertheless."""

    def value(label: str) -> str:
        step = program.steps[program.results[label]]
        code = results[label]
        return style.call("asarray", code) if "." in label and not step.shape else code

    parts = body.result if isinstance(body.result, tuple) else (body.result,)
    codes: list[list[str]] = []
    for place, part in enumerate(parts):
        if isinstance(part, Node):
            codes.append([value(f"{place}")])
        else:
            entries = [f'"{key}": {value(f"{place}.{key}")}' for key in part]
            flat = "{" + ", ".join(entries) + "}"
            short = len(flat) <= 60
            codes.append([flat] if short else ["{", *(f"{INDENT}{e}," for e in entries), "}"])
    line = "return " + ", ".join(code[0] for code in codes)
    if all(len(code) == 1 for code in codes) and len(line) <= WIDTH - len(INDENT):
        return [line]
    if len(codes) == 1:
        return [f"return {codes[0][0]}", *codes[0][1:]]
    inner = [f"{INDENT}{x}" for code in codes for x in [*code[:-1], f"{code[-1]},"]]
    return ["return (", *inner, ")"]
