"""The pytest file that ``compile --tests`` writes beside a module.

It holds the checks as text of its own, and calls the module's kernels in float64; what the module
says of itself is not taken for granted.
"""

from __future__ import annotations

import ast
import json
from pathlib import PurePosixPath

from codegen.description import ModuleDescription, surroundings
from codegen.functions import kernel_name, taken_inputs, with_facts
from codegen.lines import INDENT, WIDTH, broken, quoted
from codegen.names import Names
from codegen.selfcheck import Check, checks_of
from codegen.support_text import TABLES, function_texts

_PUBLIC_AGREES = """\
@pytest.mark.parametrize("function", FUNCTIONS)
def test_public_functions_compute_what_their_kernels_do(function):
    params, data = _random_arguments(np.random.default_rng(1))
    before = [array.copy() for array in [*params.values(), *data]]
    kernel = getattr(module, KERNELS[function])
    with np.errstate(all="ignore"):
        expected = kernel(params, *_taken(function, data))
    got = getattr(module, function)(params, *_taken(function, data), check_facts=True)
    tolerance = 1e-4 if DTYPE == "float32" else 1e-12
    for ours, theirs in zip(_arrays(got), _arrays(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)
    for array, old in zip([*params.values(), *data], before, strict=True):
        np.testing.assert_array_equal(array, old)
"""

_FACTS_ARE_CHECKED = """\
@pytest.mark.parametrize("name", FACTS)
def test_what_is_not_as_declared_is_refused(name):
    params, data = _random_arguments(np.random.default_rng(2))
    wrong = [np.full_like(a, np.nan) if n == name else a for n, a in zip(INPUTS, data)]
    for function in FUNCTIONS:
        if name in TAKES[function]:
            with pytest.raises(ValueError, match=f"{name}: declared"):
                getattr(module, function)(params, *_taken(function, wrong), check_facts=True)
"""

_HELPERS = """\
def _taken(function, data):
    return [array for name, array in zip(INPUTS, data) if name in TAKES[function]]


def _arrays(result):
    if isinstance(result, dict):
        result = tuple(result.values())
    if isinstance(result, tuple):
        return [array for part in result for array in _arrays(part)]
    return [result]
"""

_REFUSED = """\
def test_params_of_other_names_are_refused():
    params, data = _random_arguments(np.random.default_rng(0))
    function = FUNCTIONS[0]
    with pytest.raises(ValueError, match="no_such_parameter"):
        wrong = {**params, "no_such_parameter": np.zeros(1)}
        getattr(module, function)(wrong, *_taken(function, data))
"""


def emit_tests(description: ModuleDescription, module_file: str) -> str:
    """The text of a pytest file for the module that :func:`codegen.emit` makes of the description.

    ``module_file`` is the module's path, relative to the directory of the test file (or absolute).
    """
    around = surroundings(description)
    names, keyword = Names(()), around.names.own("check_facts")
    plain = [f for f, body in description.functions.items() if body.takes_only_data]
    takes = {f: taken_inputs(around, description.functions[f]) for f in plain}
    kernels = {f: kernel_name(around, f) for f in plain}
    checks = list(checks_of(description))
    facts = with_facts(description.inputs)
    public = [_PUBLIC_AGREES, _REFUSED, *([_FACTS_ARE_CHECKED] if facts else [])] if plain else []
    head = [
        f'"""Tests of {PurePosixPath(module_file).name}. Written by symdiff {description.version}'
        f' from {description.source}."""',
        "",
        "import importlib.util",
        "from pathlib import Path",
        "",
        "import numpy as np",
        "import pytest",
        "",
        f"PATH = Path(__file__).parent / {quoted(module_file)}",
        f"SPEC = importlib.util.spec_from_file_location({quoted(description.name)}, PATH)",
        "module = importlib.util.module_from_spec(SPEC)",
        "SPEC.loader.exec_module(module)",
        "",
        "init, DTYPE = module.init, module.DTYPE",
        "INPUTS, PARAMETERS = module.INPUTS, module.PARAMETERS",
        *(f"{table} = module.{around.names.own(table)}" for table in TABLES),
        *broken(f"FUNCTIONS = {json.dumps(plain)}", WIDTH),
        *broken(f"TAKES = {json.dumps(takes)}", WIDTH),
        *(broken(f"FACTS = {json.dumps(facts)}", WIDTH) if facts else []),
        *broken(f"KERNELS = {json.dumps(kernels)}", WIDTH),
    ]
    helpers = ["_random_arguments", *(check.helper for check in checks)]
    blocks = [
        "\n".join(head),
        *function_texts(names, helpers),
        _HELPERS.rstrip(),
        *(_test_text(check, around.names) for check in checks),
        *(text.rstrip().replace("check_facts", keyword) for text in public),
    ]
    text = "\n\n\n".join(blocks) + "\n"
    ast.parse(text)
    return text


def _test_text(check: Check, module_names: Names) -> str:
    """One check as a test, on three draws of random data."""
    keyword = module_names.own("check_facts")
    spelled = {"check_facts": f'"{keyword}"', "backward": "module.backward"}
    arguments = ", ".join(
        f"module.{module_names.own(a)}" if a.startswith("_") else spelled.get(a, a)
        for a in check.arguments
    )
    lines = [
        '@pytest.mark.parametrize("seed", range(3))',
        f"def test_{check.key}(seed):",
        f'{INDENT}"""{check.what}."""',
        f"{INDENT}rng = np.random.default_rng(seed)",
        f"{INDENT}params, data = _random_arguments(rng)",
        f'{INDENT}with np.errstate(all="ignore"):',
        *(INDENT * 2 + line for line in broken(f"error = {check.helper}({arguments})", 80)),
        f"{INDENT}assert error <= 1",
    ]
    return "\n".join(lines)
