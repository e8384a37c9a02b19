"""The emitted ``init``, ``ravel`` and ``unravel``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codegen.expression import Level
from codegen.lines import INDENT, WIDTH, indented
from codegen.names import Names
from codegen.style import size_expression
from symdiff.expr.node import Node
from symdiff.expr.shapes import Shape, Size, shape_size

#: What ``normal`` and ``uniform`` are scaled by where the spec gives no value.
DEFAULT_SCALE = 0.05


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its node, how it begins, whether it is trained.

    ``init`` is a key of :data:`INITIALIZERS`; ``value`` is the number of ``constant``, the standard
    deviation of ``normal``, or the bound of ``uniform`` (default 0.05).
    """

    node: Node
    init: str = "zeros"
    value: float | None = None
    trainable: bool = True


def fans(shape: Shape) -> tuple[Size, Size]:
    """(inputs, outputs) that a weight joins: rows and columns of a matrix as in ``x @ W``.

    Of more axes, the first are outputs, the second inputs, the rest positions of a kernel, as in
    convolutions; a vector joins its length to itself.
    """
    if len(shape) < 2:
        return shape_size(shape), shape_size(shape)
    if len(shape) == 2:
        return shape[0], shape[1]
    return shape_size(shape[1:]), shape_size((shape[0], *shape[2:]))


def _drawn(np: str, rng: str, parameter: Parameter, shape: str) -> str:
    """A draw with the spread of Glorot and Bengio 2010 (both sides) or He et al. 2015 (one)."""
    fan_in, fan_out = (size_expression(size) for size in fans(parameter.node.shape))
    one, both = fan_in.at(Level.UNARY), f"({fan_in.code} + {fan_out.code})"
    scale = repr(float(DEFAULT_SCALE if parameter.value is None else parameter.value))
    draws = {
        "he_normal": f"normal(0, {np}.sqrt(2 / {one}), {shape})",
        "glorot_normal": f"normal(0, {np}.sqrt(2 / {both}), {shape})",
        "glorot_uniform": f"uniform(-1, 1, {shape}) * {np}.sqrt(6 / {both})",
        "normal": f"normal(0, {scale}, {shape})",
        "uniform": f"uniform(-{scale}, {scale}, {shape})",
    }
    return f"{rng}.{draws[parameter.init]}"


def _filled(np: str, rng: str, parameter: Parameter, shape: str) -> str:
    if parameter.init == "constant":
        if parameter.value is None:
            raise ValueError(f"parameter {parameter.node.attr('name')}: constant needs a value")
        return f"{np}.full({shape}, {float(parameter.value)!r})"
    return f"{np}.{parameter.init}({shape})"


#: Ways for a parameter to begin: name → how it is written.
INITIALIZERS = {
    **dict.fromkeys(("he_normal", "glorot_uniform", "glorot_normal", "normal", "uniform"), _drawn),
    **dict.fromkeys(("zeros", "ones", "constant"), _filled),
}


def shape_code(shape: Shape) -> str:
    """A shape of numbers and names as a Python tuple."""
    inner = ", ".join(str(size) for size in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def _size_code(shape: Shape) -> str:
    return str(shape[0]) if len(shape) == 1 else shape_code(shape)


def size_names_of(parameters: Mapping[str, Parameter]) -> list[str]:
    """The names among the sizes of parameters, in order."""
    shapes = [parameter.node.shape for parameter in parameters.values()]
    return list(dict.fromkeys(size for s in shapes for size in s if isinstance(size, str)))


def init_text(names: Names, parameters: Mapping[str, Parameter], dtype: str) -> str:
    """The function ``init``."""
    np, seed, rng = names.own("np"), names.own("seed"), names.own("rng")
    needed = size_names_of(parameters)
    signature = ", ".join([f"{seed}=0", *(["*", *needed] if needed else [])])
    given = f" for the given size{'s' if len(needed) > 1 else ''}" if needed else ""
    lines = [
        f"def init({signature}):",
        f'    """Fresh parameters{given}: a dict name -> array; the same seed gives the same."""',
    ]
    if any(INITIALIZERS[p.init] is _drawn for p in parameters.values()):
        lines.append(f"{INDENT}{rng} = {np}.random.default_rng({seed})")
    entries = []
    for name, parameter in parameters.items():
        code = INITIALIZERS[parameter.init](np, rng, parameter, _size_code(parameter.node.shape))
        note = f"  # {parameter.init}" if parameter.init.startswith(("he", "glorot")) else ""
        entries.append(f'"{name}": {code},{note}')
    # Drawn in float64, whatever the dtype: the same seed begins the same model in both.
    begin, end = ("", "") if dtype == "float64" else (f"{names.own('_cast')}(", ")")
    lines += [
        f"{INDENT}return {begin}{{",
        *indented(entries, 2),
        f"{INDENT}}}{end}",
    ]
    return "\n".join(lines)


def vector_texts(names: Names, parameters: Mapping[str, Parameter]) -> list[str]:
    """The functions ``ravel`` and ``unravel``."""
    d, flat = names.own("d"), names.own("flat")
    trainable = {name: p for name, p in parameters.items() if p.trainable}
    sizes = size_names_of(trainable)
    ravel = [
        f"def ravel({d}):",
        '    """A dict that has the trainable names (params, grads, an hvp) as one flat vector."""',
        f'    return {names.own("_flatten")}("{d}", {d})',
    ]
    signature = ", ".join([flat, *(["*", *(f"{size}=None" for size in sizes)] if sizes else [])])
    table = "{" + ", ".join(f'"{size}": {size}' for size in sizes) + "}"
    more = "; one size may be left out" if sizes else ""
    unravel = [
        f"def unravel({signature}):",
        f'    """A flat vector as a dict of the trainable names: what ravel undoes{more}."""',
        f'    return {names.own("_unflatten")}("{flat}", {flat}, {table})',
    ]
    return ["\n".join(ravel), "\n".join(unravel)]


def broken_signature(head: str, arguments: Sequence[str]) -> list[str]:
    """``def f(a, b):``, an argument a line where it would be too long."""
    line = f"{head}({', '.join(arguments)}):"
    if len(line) <= WIDTH:
        return [line]
    return [f"{head}(", *indented(f"{argument}," for argument in arguments), "):"]
