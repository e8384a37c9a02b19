"""The tables of a spec, as strict pydantic models, and their faults as one line each.

Only what a table by itself can tell is checked here: keys, types, ranges of numbers.  What names
mean is for :mod:`symdiff.spec.load`.
"""

from __future__ import annotations

import keyword
import math
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError

from symdiff.errors import did_you_mean, listing
from symdiff.spec.reading import Reading
from symdiff.spec.toml_positions import Key

LARGEST_SIZE = 2**40


def name_fault(name: str) -> str | None:
    """Why a text cannot be a spec's name; None if it can."""
    if not name.isidentifier():
        return f"{name!r} is not a name: letters, digits and underscores, no digit first"
    if keyword.iskeyword(name):
        return f"{name!r} is a Python keyword and cannot be a name"
    if name.startswith("__") and name.endswith("__"):
        return f"{name!r} is reserved: a name cannot begin and end with two underscores"
    if unicodedata.normalize("NFKC", name) != name:
        return f"{name!r} is read as {unicodedata.normalize('NFKC', name)!r} by Python; write that"
    return None


def _shown(value: Any) -> str:
    text = {True: "true", False: "false"}.get(value) if isinstance(value, bool) else repr(value)
    assert text is not None
    return text if len(text) <= 40 else f"{text[:37]}..."


def _size(value: Any) -> int | str:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(f"expected a size (a whole number or a name), got {_shown(value)}")
    if isinstance(value, int) and not 1 <= value <= LARGEST_SIZE:
        raise ValueError(f"expected a size of at least 1, got {_shown(value)}")
    if isinstance(value, str) and (fault := name_fault(value)):
        raise ValueError(f"expected a size (a whole number or a name): {fault}")
    return value


def _whole_size(value: Any) -> int:
    if isinstance(value, str):
        raise ValueError(f"expected a whole number, got {_shown(value)}")
    size = _size(value)
    assert isinstance(size, int)
    return size


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a name, got {_shown(value)}")
    if fault := name_fault(value):
        raise ValueError(fault)
    return value


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return tuple(value)
    if isinstance(value, str):
        return (value,)
    raise ValueError(f"expected a name or a list of names, got {_shown(value)}")


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"expected a number, got {_shown(value)}")
    if not math.isfinite(value):
        raise ValueError(f"expected a finite number, got {_shown(value)}")
    return float(value)


def _range(value: Any) -> tuple[float, float]:
    pair = isinstance(value, list) and len(value) == 2
    if not pair or any(isinstance(x, bool) or not isinstance(x, (int, float)) for x in value):
        raise ValueError(f"expected [lowest, highest], got {_shown(value)}")
    low, high = float(value[0]), float(value[1])
    if not low <= high:
        raise ValueError(f"expected [lowest, highest] in that order, got {_shown(value)}")
    return low, high


def _bias(value: Any) -> bool | float:
    return value if isinstance(value, bool) else _number(value)


WholeSize = Annotated[int, PlainValidator(_whole_size)]
Size = Annotated[int | str, PlainValidator(_size)]
Name = Annotated[str, PlainValidator(_name)]
Names = Annotated[tuple[str, ...], PlainValidator(_names)]
Number = Annotated[float, PlainValidator(_number)]
Range = Annotated[tuple[float, float], PlainValidator(_range)]
Bias = Annotated[bool | float, PlainValidator(_bias)]
Init = Literal[
    "he_normal", "glorot_uniform", "glorot_normal", "normal", "uniform", "zeros", "ones", "constant"
]


class Table(BaseModel):
    """A table that takes no other keys and converts no values."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Head(Table):
    """The keys above the first table."""

    name: Name
    dtype: Literal["float32", "float64"] = "float64"
    output: Names | None = None


class Dim(Table):
    """One entry of [dims], under the key ``size``."""

    size: WholeSize


class InputTable(Table):
    """One entry of [inputs]: a shape, and the facts that hold of the data."""

    shape: list[Size]
    labels: Size | None = None
    ignore: int | None = None
    sums_to_one: bool = False
    one_hot: bool = False
    positive: bool = False
    nonnegative: bool = False
    nonzero: bool = False
    zero_or_one: bool = False
    plus_minus_one: bool = False
    symmetric: bool = False
    range: Range | None = None


class ParameterTable(Table):
    """One entry of [parameters]."""

    shape: list[Size]
    init: Init | None = None
    value: Number | None = None
    trainable: bool = True


class FormulaTable(Table):
    """One entry of [functions] or [equations], under the key ``formula``."""

    formula: str


class LossTable(Table):
    """[loss]: a formula per example, or the kind of loss that layers end in.

    ``kind`` may have arguments, "focal(gamma=1)"; ``within`` says how its values within an example
    are put together, and ``mask`` names an input that is 0 where they count nothing.
    """

    per_example: str | None = None
    kind: str | None = None
    target: str | None = None
    mask: Name | None = None
    within: Literal["mean", "sum"] = "mean"
    reduction: Literal["mean", "sum"] = "mean"
    regularizer: str | None = None
    l2: Number | None = None


SECTIONS = ("dims", "inputs", "parameters", "functions", "equations", "layers", "loss")
T = TypeVar("T", bound=Table)


def check(
    model: type[T],
    data: Mapping[str, Any],
    path: Sequence[Key],
    reading: Reading,
    wrapped: bool = False,
    fallback: Mapping[str, Any] | None = None,
) -> T | None:
    """The table, with its faults noted at their places below ``path``; None if they leave no table.

    Unknown keys are left out of the table.  ``fallback`` lets a table with other faults stand too,
    without the keys that have them.  ``wrapped`` says that the value at the path itself was put
    under a key for the occasion.
    """
    try:
        return model.model_validate(dict(data))
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False)
    for error in errors:
        _note(model, error, tuple(path), reading, wrapped)
    if fallback is None and any(error["type"] != "extra_forbidden" for error in errors):
        return None
    faulty = {error["loc"][0] for error in errors}
    sound = {key: value for key, value in data.items() if key not in faulty}
    try:
        return model.model_validate({**(fallback or {}), **sound})
    except ValidationError:
        return None


_EXPECTED = {
    "int_type": "a whole number",
    "string_type": "a string",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a table",
}


def _note(
    model: type[Table], error: Any, path: tuple[Key, ...], reading: Reading, wrapped: bool
) -> None:
    place = path if wrapped else (*path, *error["loc"])
    kind, given = error["type"], _shown(error["input"])
    key = str(error["loc"][-1]) if error["loc"] else ""
    if kind == "missing":
        if key not in reading.lost:
            reading.fault(path, f"missing key {key!r}")
    elif kind == "extra_forbidden":
        reading.fault(place, f"unknown key {key!r}{_hint(key, model)}")
    elif kind == "literal_error":
        choices = [*_choices(error)]
        hint = did_you_mean(error["input"], choices) if isinstance(error["input"], str) else ""
        wanted = listing([repr(choice) for choice in choices])
        reading.fault_value(place, f"expected {wanted}, got {given}{hint}")
    elif kind == "value_error":
        reading.fault_value(place, str(error["ctx"]["error"]))
    elif kind in _EXPECTED:
        reading.fault_value(place, f"expected {_EXPECTED[kind]}, got {given}")
    else:
        said = error["msg"]
        reading.fault_value(place, f"{said[:1].lower()}{said[1:]}, got {given}")


def _choices(error: Any) -> Sequence[str]:
    """The texts of a literal, from pydantic's own "'a', 'b' or 'c'"."""
    parts = error["ctx"]["expected"].replace(" or ", ", ").split(",")
    return [part.strip().strip("'") for part in parts]


def _hint(key: str, model: type[Table]) -> str:
    """The nearest key, or the table where such a key belongs."""
    for title, other in (("[loss]", LossTable), ("the top of the file", Head)):
        if key in other.model_fields and other is not model:
            return f"; it belongs in {title}"
    known = [*model.model_fields, *(SECTIONS if model is Head else ())]
    return did_you_mean(key, known) or f"; expected {listing(sorted(known))}"
