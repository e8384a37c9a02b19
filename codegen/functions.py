"""The emitted functions: a public one that looks at its arguments, a kernel that computes.

The kernel follows the dtype of its arguments, so that a float32 module can check its own
derivatives in float64.  The public function is the only one that knows of bad arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from codegen.at_hand import with_products_at_hand
from codegen.limits import Limit
from codegen.lines import INDENT, WIDTH, indented
from codegen.names import CHECKED_FACTS, FUNCTIONS, Locals, Names
from codegen.operations import single_calls
from codegen.parameters import broken_signature
from codegen.program import Asked, Program, build_program
from codegen.roles import ROLES
from codegen.scaling import scaled_early
from codegen.sharing import shared_products
from codegen.style import ModuleUse, Style
from codegen.writer import Body, write_body
from symdiff.expr.node import Node
from symdiff.expr.shapes import shape_text

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
    return scaled_early(single_calls(shared_products(with_products_at_hand(program))))


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


def input_check_lines(around: Surroundings, inputs: Sequence[str]) -> list[str]:
    """The lines that turn inputs into arrays, or refuse them, and look at their facts."""
    if not inputs:
        return []
    own = around.names.own
    around.use.helpers.setdefault("_check_inputs")
    checked = f"{own('_check_inputs')}({_table(inputs)}, {own('sizes')})"
    return [f"{_unpacked(inputs)} = {checked}", *fact_check_lines(around, inputs)]


def fact_check_lines(around: Surroundings, inputs: Sequence[str]) -> list[str]:
    """The lines that look at the inputs' declared facts where that is asked for."""
    checked = with_facts({name: around.inputs[name] for name in inputs})
    if not checked:
        return []
    own = around.names.own
    around.use.helpers.setdefault("_check_facts")
    return [
        f"if {own('check_facts')}:",
        f"{INDENT}{own('_check_facts')}({_table(checked)})",
    ]


def _table(names: Sequence[str]) -> str:
    return "{" + ", ".join(f'"{name}": {name}' for name in names) + "}"


def _unpacked(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) > 1 else f"({names[0]},)"


def public_signature(
    around: Surroundings, function: str, arguments: Sequence[str], keywords: Sequence[str] = ()
) -> list[str]:
    """The first line, or lines, of a public function: work and check_facts go by their names."""
    return broken_signature(
        f"def {function}",
        [*arguments, "*", *keywords, f"{around.names.own('check_facts')}=False"],
    )


def _arguments(around: Surroundings, body: FunctionBody) -> list[str]:
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


def _work(around: Surroundings) -> str:
    return around.names.own("work")


def public_text(around: Surroundings, function: str, body: FunctionBody) -> str:
    """The public function: checks its arguments and calls the kernel."""
    names, use = around.names, around.use
    arguments = _arguments(around, body)
    tensors = [names.own("params"), *([] if body.v is None else [names.own("v")])]
    inputs = taken_inputs(around, body)

    def check(helper: str, *rest: str) -> str:
        use.helpers.setdefault(helper)
        return f"{names.own(helper)}({', '.join(rest)})"

    checked = check("_check_arguments", _table(inputs), *(f"{name}={name}" for name in tensors))
    lines = [f"{_unpacked([*tensors, *inputs])} = {checked}", *fact_check_lines(around, inputs)]
    if body.max_norm is not None:
        bound = names.own("max_norm")
        lines.append(f"{bound} = {check('_check_max_norm', _quoted(bound), bound)}")
    if body.bounds is not None:
        bounds = names.own("max_norms")
        lines.append(f"{bounds} = {check('_check_max_norms', _quoted(bounds), bounds)}")
    given = ", ".join([*arguments, _work(around)])
    lines.append(f"return {kernel_name(around, function)}({given})")
    return "\n".join(
        [
            f'@{names.own("np")}.errstate(all="ignore")',
            *public_signature(around, function, arguments, [f"{_work(around)}=None"]),
            f'{INDENT}"""{ROLES[function].doc.format(shape_text(around.examples))}"""',
            *indented(lines),
        ]
    )


def _quoted(name: str) -> str:
    return f'"{name}"'


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
                [*_arguments(around, body), f"{_work(around)}=None"],
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
    said = _quoted(f"{owner}: expected {condition} ({limit.what})")
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
    dtypes = [*(f"{code}.dtype" for code in sources), style.call("dtype", _quoted(style.dtype))]
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
