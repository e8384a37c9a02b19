"""Emitted text is read back before anyone runs it."""

from __future__ import annotations

import linecache
import sys
import traceback

import pytest

from codegen import EmissionError, emit, load_module
from codegen.forms import uses_of
from codegen.verify import verify
from symdiff.expr import build as b
from tests.codegen.models import describe_graph, network

GOOD = """
import numpy as np

TABLE = {"a": 1}


def _f(x, y=2):
    rows = [row + y for row in x]
    for z in rows:
        w = np.exp(z)
    return _g(w, lambda: 0) if len(rows) else TABLE


def _g(a, *rest):
    try:
        b = a.sum()
    except ValueError as error:
        raise ValueError(str(error)) from None
    return b
""".replace("lambda: 0", "0")


def test_a_good_module_is_accepted() -> None:
    verify(GOOD)
    verify(emit(network()))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = (", "does not parse"),
        ("import os", "import of os"),
        ("from os import system", "import from os"),
        ("from . import np", "import from None"),
        ("x = y", "y is read"),
        ("def f():\n    return a\n    a = 1", "a is read"),
        ("def f():\n    a = a + 1", "a is read"),
        ("a = 1\ndef f():\n    b = a\n    a = 2", "a is read"),
        ("x = [y for z in [1]]", "y is read"),
        ("x = [z for z in [1]]\nw = z", "z is read"),
        ("x = eval('1')", "eval is read"),
        ("x = open('f')", "open is read"),
        ("x = getattr(1, 'a')", "getattr is read"),
        ("x = (1).__class__", "attribute __class__"),
        ("import numpy as np\nx = np.load('f')", "attribute load"),
        ("x = __builtins__", "name __builtins__"),
        ("class A:\n    pass", "ClassDef"),
        ("import numpy as np\ndef f():\n    x = np.load(1)", "emitted line 3: attribute load"),
        ("def f(x):\n    return (\n    eval(x)\n    )", "emitted line 3: eval is read"),
        ("def f(x):\n    y = x\n    z[0] = y", "emitted line 3: z is read"),
        ("def f(x):\n    y = x; z = w", "emitted line 2: w is read"),
        ("def f(x):\n    x = 0.5.__class__", "emitted line 2: attribute __class__"),
        ("def f(x):\n    x = __import__(x)", "emitted line 2: name __import__"),
        ("def f(x):\n    y = f(x, out=w)", "emitted line 2: w is read"),
        ("def f(x):\n    x = [eval for y in x]", "emitted line 2: eval is read"),
        ("def f():\n    global x\n    x = 1", "Global"),
        ("def f(x):\n    y = x\n    z = y\n    w = v", "emitted line 4: v is read"),
        ("def f(x):\n    y = x\n    # z\n\n    z = w", "emitted line 5: w is read"),
        ("def f(x):\n    y = x\n    # z\r    z = eval(x)", "eval is read"),
        ("def f(x):\n    y = z\n    # z\r    z = x", "emitted line 2: z is read"),
        ("def f(x):\n    y = (\n    x,\n    w,\n    )", "emitted line 4: w is read"),
        ('def f(x):\n    y = """\n    x = z\n    z = x"""\n    return w', "w is read"),
    ],
)
def test_anything_else_is_refused(text: str, message: str) -> None:
    with pytest.raises(EmissionError, match=message):
        verify(text)
    with pytest.raises(EmissionError, match=message):
        load_module(text, "wrong")


def test_lines_of_a_text_are_no_statements() -> None:
    verify('def f(x):\n    y = """\n    x = z\n    z = eval(x)\n    """\n    return y')


def test_a_comment_may_end_in_a_statement() -> None:
    verify("def f(x):\n    y = x\n    # z\r    z = x\n    w = z")


def test_lines_of_one_form_are_told_by_it() -> None:
    uses, names = uses_of("h3 = np.dot(h2, W3[1:], out=b[12])", frozenset({"dot"})) or ((), ())
    assert [*names] == ["h3", "np", "h2", "W3", "b"]
    assert [names[i] for i, is_stored in uses if is_stored] == ["h3"]
    assert [names[i] for i, is_stored in uses if not is_stored] == ["np", "h2", "W3", "b"]
    assert uses_of("h4 += b4", frozenset()) == (((1, False), (0, True)), ["h4", "b4"])


@pytest.mark.parametrize(
    "line",
    ["x = y; z = y", "x = a.load(y)", "return x", 'x = "y"', "x = y  # z", "x: y = z", "x = (y"],
)
def test_lines_that_may_say_more_have_no_form(line: str) -> None:
    assert uses_of(line, frozenset({"dot"})) is None


def test_a_loaded_module_shows_its_source_in_tracebacks() -> None:
    x = b.input("x", ("n", 3))
    module = load_module(emit(describe_graph({"out": x[b.constant([7])]})), "shown")
    assert "shown" not in sys.modules
    try:
        module.forward({}, [[1.0, 2.0, 3.0]])
    except IndexError:
        text = traceback.format_exc()
    assert "out = x[_CONSTANT_1]" in text
    assert linecache.getline(module._forward.__code__.co_filename, 1).startswith('"""')


def test_two_texts_of_one_name_do_not_share_a_source() -> None:
    x = b.input("x", ("n", 3))
    first = load_module(emit(describe_graph({"out": x + 1})), "same")
    second = load_module(emit(describe_graph({"out": x + 2})), "same")
    assert first.__spec__.origin != second.__spec__.origin
