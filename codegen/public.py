"""The public face of an emitted function: the only part that knows of bad arguments."""

from __future__ import annotations

from collections.abc import Sequence

from codegen.functions import (
    FunctionBody,
    Surroundings,
    arguments_of,
    kernel_name,
    taken_inputs,
    with_facts,
    work_name,
)
from codegen.lines import INDENT, indented, quoted
from codegen.parameters import broken_signature
from codegen.roles import ROLES
from symdiff.expr.shapes import shape_text


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


def public_text(around: Surroundings, function: str, body: FunctionBody) -> str:
    """The public function: checks its arguments and calls the kernel."""
    names, use = around.names, around.use
    arguments = arguments_of(around, body)
    tensors = [names.own("params"), *([] if body.v is None else [names.own("v")])]
    inputs = taken_inputs(around, body)

    def check(helper: str, *rest: str) -> str:
        use.helpers.setdefault(helper)
        return f"{names.own(helper)}({', '.join(rest)})"

    checked = check("_check_arguments", _table(inputs), *(f"{name}={name}" for name in tensors))
    lines = [f"{_unpacked([*tensors, *inputs])} = {checked}", *fact_check_lines(around, inputs)]
    if body.max_norm is not None:
        bound = names.own("max_norm")
        lines.append(f"{bound} = {check('_check_max_norm', quoted(bound), bound)}")
    if body.bounds is not None:
        bounds = names.own("max_norms")
        lines.append(f"{bounds} = {check('_check_max_norms', quoted(bounds), bounds)}")
    given = ", ".join([*arguments, work_name(around)])
    lines.append(f"return {kernel_name(around, function)}({given})")
    return "\n".join(
        [
            f'@{names.own("np")}.errstate(all="ignore")',
            *public_signature(around, function, arguments, [f"{work_name(around)}=None"]),
            f'{INDENT}"""{ROLES[function].doc.format(shape_text(around.examples))}"""',
            *indented(lines),
        ]
    )
