"""One counter of NumPy calls for both sides: what a function really computes.

The function is run on arrays that note every ufunc and every function of NumPy that they pass
through, by name and arguments, so that what is computed twice counts once and a helper counts for
what it holds.  Negations, views, broadcasts and bookkeeping count nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

_FREE = frozenset(
    """negative positive reshape transpose swapaxes squeeze expand_dims broadcast_to ravel
    broadcast_arrays diagonal zeros_like ones_like full_like empty_like shape ndim size copy
    asarray array astype result_type""".split()
)


class Counter:
    """The distinct calls of one run."""

    def __init__(self) -> None:
        self.calls: dict[tuple[Any, ...], int] = {}

    def number(self, key: tuple[Any, ...]) -> int:
        """A number for a value that stands for how it was computed."""
        return self.calls.setdefault(key, len(self.calls))

    @property
    def total(self) -> int:
        """The calls that compute something."""
        return sum(key[0] not in _FREE and key[0] != "input" for key in self.calls)


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that notes what is done with it."""

    def __init__(self, value: Any, key: int, counter: Counter) -> None:
        self.value, self.key, self.counter = np.asarray(value), key, counter

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.value if dtype is None else self.value.astype(dtype)

    def _noted(self, name: str, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        result = call(*_plain(args), **_plain(kwargs))
        key = self.counter.number((name, _keys(args), _keys(kwargs)))
        if isinstance(result, tuple):
            return tuple(Traced(r, key, self.counter) for r in result)
        return Traced(result, key, self.counter)

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("out", None)
        where = kwargs.pop("where", True)
        call = getattr(ufunc, method)
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        if where is True:
            return self._noted(name, call, args, kwargs)
        full = np.zeros(np.broadcast(*(np.asarray(_plain(a)) for a in args)).shape)
        result = self._noted(
            name, lambda *a, **k: call(*a, out=full, where=_plain(where), **k), args, kwargs
        )
        return result

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self._noted(function.__name__, function, args, kwargs)

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        picks = any(isinstance(part, (Traced, np.ndarray)) for part in parts)
        plain = tuple(_plain(part) for part in parts)
        name = "take" if picks else "reshape"
        return self._noted(name, lambda x, k: x[k], (self, plain), {})

    def __setitem__(self, key: Any, value: Any) -> None:
        parts = key if isinstance(key, tuple) else (key,)
        self.value = self.value.copy()
        self.value[tuple(_plain(part) for part in parts)] = _plain(value)
        self.key = self.counter.number(("put", (("traced", self.key), _keys(key)), _keys(value)))

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.value, name)
        if not callable(found):
            return self._noted("transpose", lambda x: x.T, (self,), {}) if name == "T" else found

        def method(*args: Any, **kwargs: Any) -> Any:
            return self._noted(name, lambda x, *a, **k: getattr(x, name)(*a, **k),
                               (self, *args), kwargs)  # fmt: skip

        return method

    def __len__(self) -> int:
        return len(self.value)

    def __float__(self) -> float:
        return float(self.value)


def _plain(x: Any) -> Any:
    if isinstance(x, Traced):
        return x.value
    if isinstance(x, (tuple, list)):
        return type(x)(_plain(y) for y in x)
    return {k: _plain(v) for k, v in x.items()} if isinstance(x, dict) else x


def _keys(x: Any) -> Any:
    if isinstance(x, Traced):
        return ("traced", x.key)
    if isinstance(x, (tuple, list)):
        return tuple(_keys(y) for y in x)
    if isinstance(x, dict):
        return tuple(sorted((k, _keys(v)) for k, v in x.items()))
    return repr(x)


def count(function: Callable[..., Any], values: Mapping[str, Any]) -> int:
    """The distinct calls of NumPy that compute something when the function is run at the values."""
    counter = Counter()
    with np.errstate(all="ignore"):
        function(*(Traced(v, counter.number(("input", k)), counter) for k, v in values.items()))
    return counter.total


def count_source(source: str, values: Mapping[str, Any], names: list[str]) -> int:
    """The calls of an emitted module's ``derivative``, its checks of the inputs left out."""
    module: dict[str, Any] = {}
    exec(compile(source, "derived", "exec"), module)  # noqa: S102
    module["_check_inputs"] = lambda given, *_: list(given.values())
    return count(module["derivative"], {name: values[name] for name in names})


def expected_function(text: str, values: Mapping[str, Any]) -> int:
    """The calls of an expression of NumPy from the fixture."""
    names = list(values)
    return count(eval(f"lambda {', '.join(names)}: {text}", {"np": np}), values)  # noqa: S307
