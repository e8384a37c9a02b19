"""The emitted text, read back: every name that is read was assigned, only known calls are made.

The last line of defence between a formula and a file that will be run: whatever a spec held, the
text is straight-line NumPy with nothing in it that this package does not print.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from functools import lru_cache

#: Modules that an emitted one may import.
MODULES = frozenset({"math", "numpy", "numpy.lib.stride_tricks", "sys", "scipy.special"})

#: Python's own functions and exceptions that helper functions use.
BUILTINS = frozenset(
    """NotImplementedError ValueError abs all any bool dict enumerate float hasattr int isinstance
    len list map max min next print range slice sorted str sum tuple type zip""".split()
)

#: Attributes that may be read: of NumPy, of arrays, dicts and strings.
ATTRIBUTES = frozenset(
    """T __name__ abs add all any append arange arccosh arcsin arcsinh arctan arctanh argv argwhere
    array asarray astype at bool_ broadcast broadcast_to clip concatenate copy cos cosh cumsum
    default_rng divide dot dtype einsum empty equal errstate exit exp expm1 eye finfo flat flip
    float32 float64 fromkeys full get greater greater_equal hypot inf int64 integers isfinite
    isnative items join keys kind less less_equal linalg log log1p logaddexp matmul max maximum
    mean median min minimum moveaxis multiply nan nan_to_num ndarray ndim ndindex negative
    normal not_equal ones outer pad permutation positive power prod random ravel reduce reshape
    setdefault shape sign sin sinh size sqrt squeeze standard_normal subtract sum swapaxes tan
    tanh tensordot tolist transpose type uint64 uniform update values vdot vecdot where zeros
    zeros_like
    """.split()
)


class EmissionError(Exception):
    """The emitted text is not what it should be: a fault of the code generator."""


@lru_cache(maxsize=8)
def verify(source: str) -> None:
    """Raise EmissionError unless the text parses and is made of known parts only."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise EmissionError(f"the emitted text does not parse: {error}") from error
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        _verify_node(node)
        stack += _children(node)
    globals_ = set(_bound(tree.body)) | {"__name__"}
    _Scope(globals_ | BUILTINS).run(tree.body)


_SAY_NOTHING = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.Constant)


def _children(node: ast.AST) -> list[ast.AST]:
    """The nodes right below one, but for operators, contexts and constants; kept with the node."""
    found: list[ast.AST] | None = node.__dict__.get("children")
    if found is None:
        found = []
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, list):
                found += [x for x in value if isinstance(x, ast.AST)]
            elif isinstance(value, ast.AST) and not isinstance(value, _SAY_NOTHING):
                found.append(value)
        node.__dict__["children"] = found
    return found


def _fail(node: ast.AST, what: str) -> None:
    raise EmissionError(f"emitted line {getattr(node, 'lineno', '?')}: {what}")


def _verify_node(node: ast.AST) -> None:
    if isinstance(node, ast.Attribute) and node.attr not in ATTRIBUTES:
        _fail(node, f"attribute {node.attr} is not one that modules use")
    elif isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name not in MODULES:
                _fail(node, f"import of {alias.name}")
    elif isinstance(node, ast.ImportFrom):
        if node.module not in MODULES or node.level:
            _fail(node, f"import from {node.module}")
    elif isinstance(node, ast.ClassDef):
        if node.name != "Workspace" or not _only_says(node):
            _fail(node, f"ClassDef {node.name} has no place in a module")
    elif isinstance(node, (ast.Global, ast.Nonlocal, ast.AsyncFunctionDef)):
        _fail(node, f"{type(node).__name__} has no place in a module")
    elif isinstance(node, ast.Name) and _is_dunder(node.id) and node.id != "__name__":
        _fail(node, f"name {node.id}")


def _only_says(node: ast.ClassDef) -> bool:
    """Whether the class is a dict with a docstring."""
    bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
    plain = not node.keywords and not node.decorator_list and len(node.body) == 1
    return plain and bases == ["dict"] and ast.get_docstring(node) is not None


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _bound(statements: Iterable[ast.AST]) -> Iterator[str]:
    """The names that statements bind in their own scope."""
    stack = list(statements)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
            continue
        if isinstance(node, (ast.Lambda, ast.ListComp, ast.DictComp, ast.GeneratorExp)):
            continue
        if isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        if isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        stack += _children(node)


class _Scope:
    """Names known where a statement runs; statements are taken in the order of the text.

    A name that some path assigns counts as assigned after it: kernels have one path only, and
    the helper functions are tested as they are.
    """

    def __init__(self, known: Iterable[str], locals_: Iterable[str] = ()) -> None:
        self.outer = frozenset(known)
        self.assigned: set[str] = set()
        self.later = frozenset(locals_)

    def run(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self.visit(statement)

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                self.visit(decorator)
            self.function(node.args, node.body)
        elif isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)):
            self.comprehension(node)
        elif isinstance(node, ast.Name):
            self.name(node)
        elif isinstance(node, (ast.Assign, ast.AugAssign, ast.For)):
            first = node.iter if isinstance(node, ast.For) else node.value
            self.visit(first)
            for child in _children(node):
                if child is not first:
                    self.visit(child)
        else:
            if isinstance(node, (ast.alias, ast.ExceptHandler)):
                self.assigned.update(_bound([node]))
            for child in _children(node):
                self.visit(child)

    def name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.assigned.add(node.id)
        elif node.id not in self.assigned and (node.id in self.later or node.id not in self.outer):
            _fail(node, f"{node.id} is read, and was not assigned")

    def function(self, arguments: ast.arguments, body: list[ast.stmt]) -> None:
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default is not None:
                self.visit(default)
        inner = _Scope(self.outer, _bound(body))
        given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        given += [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
        inner.assigned.update(a.arg for a in given)
        inner.run(body)

    def comprehension(
        self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp
    ) -> None:
        before = set(self.assigned)
        for generator in node.generators:
            self.visit(generator.iter)
            self.visit(generator.target)
            for condition in generator.ifs:
                self.visit(condition)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for part in parts:
            self.visit(part)
        self.assigned = before


#: Names of Python's that helper functions rely on exist in every version.
assert all(hasattr(builtins, name) for name in BUILTINS)
