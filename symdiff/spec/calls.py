"""Calls in formulas: what binds to which argument, and what kind of value each argument takes.

Functions of the graph name their parameters alike, so one table keyed by the parameter's name says
what may be passed; anything it does not list is an array.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symdiff.expr import build
from symdiff.expr.node import Node
from symdiff.nn import FUNCTIONS
from symdiff.spec.syntax import Formula
from symdiff.spec.values import BROKEN, Symbolic, Value, as_array, is_number, says, to_size


@dataclass(frozen=True)
class UserFunction:
    """A function by formula; calling it goes on with ``body`` where its parameters are bound.

    ``values`` and ``functions`` are what the body may use besides.
    """

    name: str
    parameters: tuple[str, ...]
    body: Formula
    values: Mapping[str, Value] = field(default_factory=dict)
    functions: Mapping[str, Value] = field(default_factory=dict)

    @property
    def signature(self) -> inspect.Signature:
        """Its parameters, all required."""
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature([inspect.Parameter(name, kind) for name in self.parameters])


@dataclass(frozen=True)
class Inlined:
    """The request to go on with a user function's formula, its arguments bound."""

    function: UserFunction
    arguments: Mapping[str, Value]


def _whole(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _array(value: Value) -> Any:
    if isinstance(value, (tuple, list)):
        return build.constant(_numbers(value))
    if isinstance(value, (Node, Symbolic)) or is_number(value):
        return as_array(value)
    raise TypeError(f"an array is expected, not {says(value)}")


def _numbers(value: Value) -> Any:
    """Nested sequences of numbers, checked; they must be rectangular to become an array."""
    level: list[Value] = [value]
    while level and all(isinstance(item, (tuple, list)) for item in level):
        if len({len(item) for item in level}) > 1:
            raise ValueError("rows of numbers of different lengths")
        level = [part for item in level for part in item]
    if not level or not all(is_number(item) for item in level):
        raise TypeError("an array is expected, or numbers in lists")
    return value


def _literal(value: Value) -> Any:
    return _numbers(value) if isinstance(value, (tuple, list)) else _number(value)


def _node(value: Value) -> Any:
    return build.as_node(_array(value))


def _optional_array(value: Value) -> Any:
    return None if value is None else _array(value)


def _arrays(value: Value) -> Any:
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"a list of arrays is expected, not {says(value)}")
    return [_array(item) for item in value]


def _number(value: Value) -> Any:
    if not is_number(value):
        raise TypeError(f"a number is expected, not {says(value)}")
    return value


def _integer(value: Value) -> Any:
    if not _whole(value):
        raise TypeError(f"a whole number is expected, not {says(value)}")
    return value


def _size(value: Value) -> Any:
    if not _whole(value) and not isinstance(value, Symbolic):
        raise TypeError(f"a size is expected, not {says(value)}")
    return to_size(value)


def _shape(value: Value) -> Any:
    if isinstance(value, (tuple, list)):
        return tuple(_size(item) for item in value)
    return (_size(value),)


def _reps(value: Value) -> Any:
    """How often: a size an axis, or one, or 0."""
    return _shape(value) if isinstance(value, (tuple, list)) else _size(value)


def _axis(value: Value) -> Any:
    if isinstance(value, (tuple, list)):
        return tuple(_axis(item) for item in value)
    return None if value is None else _integer(value)


def _ends(value: Value) -> Any:
    """Whole numbers, alone, one an axis or a pair an axis; or a word such as "same"."""
    return value if isinstance(value, str) else _axis(value)


def _flag(value: Value) -> Any:
    if value not in (0, 1) or isinstance(value, float):
        raise TypeError(f"True or False is expected, not {says(value)}")
    return bool(value)


def _string(value: Value) -> Any:
    if not isinstance(value, str):
        raise TypeError(f"a string is expected, not {says(value)}")
    return value


Converter = Callable[[Value], Any]

PARAMETERS: Mapping[str, Converter] = {
    **dict.fromkeys(("axis", "axes", "axis1", "axis2", "source", "destination"), _axis),
    **dict.fromkeys(("window", "stride", "dilation", "output_padding"), _axis),
    "padding": _ends,
    **dict.fromkeys(("keepdims", "approximate", "log_input", "causal", "count_include_pad"), _flag),
    **dict.fromkeys(("reset_after", "return_sequences", "reverse", "unroll"), _flag),
    **dict.fromkeys(("a_min", "a_max", "gain", "offset", "variance", "precision"), _optional_array),
    **dict.fromkeys(("eps", "gamma", "delta", "rate", "label_smoothing"), _number),
    **dict.fromkeys(("subscripts", "dtype", "mode", "activation"), _string),
    **dict.fromkeys(
        ("k", "groups", "heads", "pieces", "padding_idx", "repeats", "shift", "ddof"), _integer
    ),
    **dict.fromkeys(("idx", "ids"), _node),
    **dict.fromkeys(("trace.offset", "diagonal.offset", "diff.n"), _integer),
    "shape": _shape,
    "n": _size,
    "reps": _reps,
    "xs": _arrays,
    **dict.fromkeys(("pad_width", "indices_or_sections"), _axis),
    "array.value": _literal,
}

METHODS: Mapping[str, Callable[..., Any]] = {
    name: FUNCTIONS[name]
    for name in (
        "sum", "mean", "var", "std", "max", "min", "prod", "cumsum", "clip", "trace",
        "reshape", "transpose", "swapaxes", "dot", "repeat", "ravel", "squeeze",
    )
}  # fmt: skip

# Methods that take their sizes or axes spread out: x.reshape(2, -1).
_SPREAD = {"reshape": "shape", "transpose": "axes"}


def signature_text(name: str, signature: inspect.Signature) -> str:
    """``softmax(x, axis=-1)``."""
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return f"{name}{inspect.Signature(bare)}"


def call(
    name: str,
    function: Value,
    arguments: Sequence[Value],
    named: Mapping[str, Value],
    method: bool = False,
) -> Value:
    """The call's value, or Inlined for a user's function; BROKEN if an argument is.

    Raises TypeError or ValueError saying what does not fit.
    """
    if function is BROKEN:
        return BROKEN
    user = isinstance(function, UserFunction)
    signature = function.signature if user else inspect.signature(function)
    if method and name in _SPREAD and len(arguments) > 2:
        arguments = [arguments[0], tuple(arguments[1:])]
    try:
        bound = signature.bind(*arguments, **named)
    except TypeError as fault:
        raise TypeError(f"{fault}; it is {signature_text(name, signature)}") from None
    if any(_is_broken(value) for value in [*arguments, *named.values()]):
        return BROKEN
    if user:
        return Inlined(function, dict(bound.arguments))
    for key, value in bound.arguments.items():
        try:
            bound.arguments[key] = _converted(name, key, signature.parameters[key], value)
        except (TypeError, ValueError) as fault:
            raise type(fault)(f"argument {key}: {fault}") from None
    return function(*bound.args, **bound.kwargs)


def _is_broken(value: Value) -> bool:
    """Whether a value is BROKEN, or one of the sizes put together for a method."""
    return value is BROKEN or (isinstance(value, tuple) and any(part is BROKEN for part in value))


def _converted(name: str, key: str, parameter: inspect.Parameter, value: Value) -> Any:
    if value is None and parameter.default is None:
        return None
    convert = PARAMETERS.get(f"{name}.{key}") or PARAMETERS.get(key, _array)
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return tuple(convert(item) for item in value)
    return convert(value)
