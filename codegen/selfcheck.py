"""Which checks a module has of itself, and what each is called with.

The checks are functions of :mod:`codegen.support.checking`; the module's ``--check`` and the
emitted test file run the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from codegen.description import ModuleDescription
from codegen.functions import FunctionBody, Surroundings, kernel_name, with_facts
from codegen.kernel import kernel_text
from codegen.limits import sizes_within
from codegen.lines import INDENT, broken
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node

REGULARIZER = "_regularizer_gradient"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its identifier, what it says, its support function and that one's arguments.

    Arguments that begin with an underscore are kernels, by the names that they would like;
    ``check_facts`` is the name of that argument; others are Python text.
    """

    key: str
    what: str
    helper: str
    arguments: tuple[str, ...]


def stops_gradients(description: ModuleDescription) -> bool:
    """Whether the loss holds a stop_gradient: its derivative is then not the slope of its value."""
    return any(
        node.op == "stop_gradient"
        for name in ("backward", "loss")
        if name in description.functions
        for node in toposort(description.functions[name].roots().values())
    )


def checking_sizes(description: ModuleDescription) -> dict[str, int]:
    """Small numbers for the sizes that are names, at which all functions' limits hold."""
    nodes = [*description.inputs.values(), *(p.node for p in description.parameters.values())]
    sizes = [size for node in nodes for size in node.shape]
    sizes += [dict(x.attr("declared")).get("labels") for x in description.inputs.values()]
    names = dict.fromkeys(size for size in sizes if isinstance(size, str))
    usual = {name: 5 if name == "batch" else 3 + i % 3 for i, name in enumerate(names)}
    limits = [limit for body in description.functions.values() for limit in body.limits]
    return sizes_within(limits, usual)


def checks_of(description: ModuleDescription) -> Iterator[Check]:
    """The checks that the functions at hand allow."""
    have = description.functions
    if "backward" not in have or not description.trainable:
        return
    if with_facts(description.inputs):
        yield Check(
            "declared_facts", "backward, what is declared of its inputs checked",
            "_public_error", ("backward", "_backward", "check_facts", "params", "data"),
        )  # fmt: skip
    own = REGULARIZER if description.regularizer_gradient is not None else "None"
    data = ("params", "data")
    loop = ("_backward", own, f'"{description.reduction}"', *data)
    random = ("rng", *data)
    slopes = not stops_gradients(description)
    if slopes:
        yield Check(
            "gradient", "the gradient against finite differences",
            "_gradient_error", ("_backward", *random),
        )  # fmt: skip
    if "hvp" in have:
        yield Check(
            "hvp_symmetry", "hvp: u . (H v) against v . (H u)", "_symmetry_error", ("_hvp", *random)
        )
        if slopes:
            yield Check(
                "hvp", "hvp against finite differences of the gradient",
                "_curvature_error", ("_hvp", "_backward", *random),
            )  # fmt: skip
    if len(description.examples) > 1:
        return
    if "per_example_sq_norms" in have:
        yield Check(
            "per_example_sq_norms", "per_example_sq_norms against a loop over examples",
            "_sq_norms_error", ("_per_example_sq_norms", *loop),
        )  # fmt: skip
    if "per_example_norms" in have:
        yield Check(
            "per_example_norms", "per_example_norms against a loop over examples",
            "_norms_error", ("_per_example_norms", *loop),
        )  # fmt: skip
    if "backward_with_norms" in have and "per_example_sq_norms" in have:
        kernels = ("_backward_with_norms", "_per_example_sq_norms", "_backward")
        yield Check(
            "backward_with_norms", "backward_with_norms against the separate functions",
            "_one_pass_error", (*kernels, *data),
        )  # fmt: skip
    if "clipped_backward" in have:
        yield Check(
            "clipped_backward", "clipped_backward against a loop over examples",
            "_clipping_error", ("_clipped_backward", *loop),
        )  # fmt: skip
    yield from _on_request(description, loop, random)


def _on_request(
    description: ModuleDescription, loop: tuple[str, ...], random: tuple[str, ...]
) -> Iterator[Check]:
    """The checks of functions that a module has only if they were asked for."""
    for name, what, helper in (
        ("clipped_by_parameter", "against a loop over examples", "_each_clipping_error"),
        ("weighted_backward", "against a loop over examples", "_weighting_error"),
        ("fisher_diagonal", "against a loop over examples", "_diagonal_error"),
        ("noise_scale", "against a loop over examples", "_noise_error"),
    ):
        if name in description.functions:
            yield Check(name, f"{name} {what}", helper, (f"_{name}", *loop))
    for name in ("ggn_vp", "fisher_vp", "empirical_fisher_vp"):
        if name in description.functions:
            said = f"{name}: u . (F v) against v . (F u)"
            yield Check(name, said, "_symmetry_error", (f"_{name}", *random))
    if "empirical_fisher_vp" in description.functions:
        yield Check(
            "empirical_fisher_vp_loop", "empirical_fisher_vp against a loop over examples",
            "_outer_error", ("_empirical_fisher_vp", "rng", *loop),
        )  # fmt: skip


def check_texts(
    description: ModuleDescription, around: Surroundings
) -> tuple[list[str], list[str]]:
    """The functions that only the check needs, and the support functions that they call."""
    own = around.names.own
    checks = list(checks_of(description))
    texts = []
    if any(REGULARIZER in check.arguments for check in checks):
        gradient: Mapping[str, Node] = description.regularizer_gradient or {}
        body = FunctionBody(dict(gradient), inputs=())
        texts.append(kernel_text(around, REGULARIZER, body))
    rng, params, data = own("rng"), own("params"), own("data")
    helpers = ["_report", *(check.helper for check in checks)]
    lines = [
        f"def {own('_self_check')}():",
        f'{INDENT}"""Check the derivatives in float64, a line a check; whether all are right."""',
        f"{INDENT}checks = {{}}",
    ]
    if checks:
        helpers.append("_random_arguments")
        lines += [
            f"{INDENT}{rng} = {own('np')}.random.default_rng(0)",
            f"{INDENT}{params}, {data} = {own('_random_arguments')}({rng})",
            f'{INDENT}with {own("np")}.errstate(all="ignore"):',
        ]
    spelled = {"rng": rng, "params": params, "data": data}
    spelled["check_facts"] = f'"{own("check_facts")}"'
    for check in checks:
        arguments = [
            kernel_name(around, a) if a.startswith("_") else spelled.get(a, a)
            for a in check.arguments
        ]
        call = f"{own(check.helper)}({', '.join(arguments)})"
        lines += [INDENT * 2 + x for x in broken(f'checks["{check.what}"] = {call}', 80)]
    if checks and stops_gradients(description):
        said = "the model stops gradients, so finite differences do not apply"
        lines.append(f'{INDENT}print("skip  {said}")')
    lines.append(f"{INDENT}return {own('_report')}(checks)")
    return [*texts, "\n".join(lines)], helpers
