"""The house stands as drawn: floors, the closed set, the pinned names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import symdiff as sd

ROOT = Path(__file__).parent.parent

# Each floor may import itself and the floors named; codegen knows nothing of derivatives.
FLOORS = {
    "symdiff/expr": {"symdiff.expr"},
    "symdiff/nn": {"symdiff.expr", "symdiff.nn"},
    "symdiff/calculus": {"symdiff.expr", "symdiff.calculus"},
    "symdiff/simplify": {"symdiff.expr", "symdiff.calculus", "symdiff.simplify"},
    "symdiff/spec": {"symdiff.expr", "symdiff.nn", "symdiff.errors", "symdiff.spec"},
    "symdiff/inspect": {
        "symdiff.expr",
        "symdiff.calculus",
        "symdiff.simplify",
        "symdiff.spec",
        "symdiff.errors",
        "symdiff.inspect",
    },
    "symdiff/doctor": {"symdiff.doctor"},
    "codegen": {"symdiff.expr", "codegen"},
}


def imports(path: Path) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("floor", FLOORS)
def test_no_floor_imports_a_higher_one(floor: str) -> None:
    files = list((ROOT / floor).rglob("*.py"))
    assert files
    for path in files:
        for module in imports(path):
            if module.split(".")[0] in ("symdiff", "codegen"):
                allowed = any(f"{module}.".startswith(f"{f}.") for f in FLOORS[floor])
                assert allowed, f"{path.relative_to(ROOT)} imports {module}"


def test_only_one_file_of_the_printing_house_spells_numpy_expressions() -> None:
    """Support functions are printed whole (codegen/support), and so are pytest files."""
    spelling = {
        path.name
        for path in (ROOT / "codegen").glob("*.py")
        if any("np." in line and not line.lstrip().startswith("#") for line in _strings(path))
    }
    assert spelling <= {"numpy_table.py", "check.py"}


def _strings(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]


def test_every_public_name_is_there() -> None:
    from symdiff.nn import FUNCTIONS

    for name in sd.__all__:
        assert getattr(sd, name) is not None
    for name, function in FUNCTIONS.items():
        assert getattr(sd, name) is function
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sd.nothing  # noqa: B018


def test_functions_keep_their_names_beside_modules_of_the_same_name() -> None:

    assert callable(sd.simplify)
    assert callable(sd.derive)


def test_text_from_outside_is_never_run() -> None:
    forbidden = {"eval", "exec", "sympify", "parse_expr", "lambdify", "S"}
    for package in ("symdiff", "codegen"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                    assert name not in forbidden, f"{path}: {name}"
