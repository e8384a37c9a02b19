"""The emitted text, read back: every name that is read was assigned, only known calls are made.

The last line of defence between a formula and a file that will be run: whatever a spec held, the
text is straight-line NumPy with nothing in it that this package does not print.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NoReturn, TypeAlias

from codegen.forms import Uses, uses_of

#: A line's number, how it uses its names, and those.
Line: TypeAlias = tuple[int, Uses, Sequence[str]]

#: Modules that an emitted one may import.
MODULES = frozenset({"math", "numpy", "numpy.lib.stride_tricks", "sys", "scipy.special"})

#: Python's own functions and exceptions that helper functions use.
BUILTINS = frozenset(
    """AttributeError NotImplementedError ValueError abs all any bool dict enumerate float hasattr
    int isinstance len list map max min next print range slice sorted str sum tuple type zip
    """.split()
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
    tanh tensordot tolist transpose type uint64 uniform update values vdot vecdot view where zeros
    zeros_like
    """.split()
)


class EmissionError(Exception):
    """The emitted text is not what it should be: a fault of the code generator."""


@lru_cache(maxsize=8)
def verify(source: str) -> None:
    """Raise EmissionError unless the text parses and is made of known parts only."""
    lines = source.split("\n")
    plain = _plain_runs(lines)
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        pass
    else:
        _verify(tree, plain)
        if not plain:
            return
    try:  # some were no statements of their own: in parentheses, or in a text
        tree = ast.parse(source)
    except SyntaxError as error:
        raise EmissionError(f"the emitted text does not parse: {error}") from error
    _verify(tree, {})


#: What stands for lines that are looked at by their forms; a statement wherever these are some.
_MARK = "    ..."


def _plain_runs(lines: list[str]) -> dict[int, list[Line]]:
    """The lines of functions that look like plain statements, by where a run of such begins.

    There the mark is put, and what else is of the run is taken out: where the first of it is a
    statement, so are the others, since each is a whole one.
    """
    found: dict[int, list[Line]] = {}
    run: list[Line] | None = None
    for at, line in enumerate(lines, 1):
        inside = line[:4] == "    " and line[4:5] not in ("", " ", ")")
        uses = uses_of(line[4:], ATTRIBUTES) if inside else None
        if uses is None:
            run = run if _says_nothing(line) else None
            continue
        lines[at - 1] = "" if run is not None else _MARK
        run = found.setdefault(at, []) if run is None else run
        run.append((at, *uses))
    return found


def _says_nothing(line: str) -> bool:
    """Whether a line between statements is no more than a comment; a return would end it."""
    text = line.strip(" ")
    return not text or (text[0] == "#" and "\r" not in text)


def _verify(tree: ast.Module, plain: dict[int, list[Line]]) -> None:
    """Look at a module; ``plain`` runs of lines are taken out where they are met."""
    globals_ = set(_bound(tree.body)) | {"__name__"}
    _Scope(globals_ | BUILTINS, plain, hides=True).run(tree.body)


def _children(node: ast.AST) -> list[ast.AST]:
    """The nodes right below one, in the order of the text."""
    return list(ast.iter_child_nodes(node))


def _fail(node: ast.AST | int, what: str) -> NoReturn:
    """Say what is wrong at a node, or in a line of that number."""
    line = node if isinstance(node, int) else getattr(node, "lineno", "?")
    raise EmissionError(f"emitted line {line}: {what}")


def _verify_statement(node: ast.AST) -> None:
    """What only statements can do wrong."""
    if isinstance(node, ast.Import):
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
    the helper functions are tested as they are.  What was read of the ``outer`` scope is
    ``borrowed``, and cannot be the scope's own any more, unless the scope ``hides`` outer names.
    """

    def __init__(
        self, outer: Iterable[str], plain: dict[int, list[Line]], hides: bool = False
    ) -> None:
        self.outer = frozenset(outer)
        self.plain = plain
        self.hides = hides
        self.assigned: set[str] = set()
        self.borrowed: dict[str, int] = {}

    def run(self, nodes: Sequence[ast.AST]) -> None:
        """Look at statements, or parts of them; what each reads before what it assigns.

        Most of a module are plain calls, and long ones take hundreds of thousands of nodes.
        """
        stack: list[ast.AST] = list(reversed(nodes))
        while stack:
            node = stack.pop()
            kind = type(node)
            if isinstance(node, ast.Expr):
                run = self.plain.pop(node.lineno, None) if _is_mark(node) else None
                if run is None:
                    stack.append(node.value)
                else:
                    self.lines(run)
            elif isinstance(node, ast.Name):
                self.name(node.id, isinstance(node.ctx, ast.Store), node.lineno)
            elif kind in _SAY_NOTHING:
                continue
            elif isinstance(node, ast.Attribute):
                if node.attr not in ATTRIBUTES:
                    _fail(node, f"attribute {node.attr} is not one that modules use")
                stack.append(node.value)
            elif isinstance(node, ast.Call):
                stack += [keyword.value for keyword in node.keywords]
                stack += node.args
                stack.append(node.func)
            elif isinstance(node, ast.Assign):
                stack += node.targets
                stack.append(node.value)
            elif isinstance(node, ast.AugAssign):
                stack += (node.target, node.value)
            elif isinstance(node, ast.For):
                self.run([node.iter, node.target, *node.body, *node.orelse])
            elif isinstance(node, ast.FunctionDef):
                self.run(node.decorator_list)
                self.function(node)
            elif isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)):
                self.comprehension(node)
            else:
                _verify_statement(node)
                if isinstance(node, (ast.alias, ast.ExceptHandler)):
                    for name in _bound([node]):
                        self.assign(name)
                stack += reversed(_children(node))

    def lines(self, run: Sequence[Line]) -> None:
        """Look at plain lines."""
        for at, uses, names in run:
            for i, is_stored in uses:
                self.name(names[i], is_stored, at)

    def name(self, name: str, is_stored: bool, line: int) -> None:
        """A name is read or assigned in a line."""
        if name[:2] == "__" and _is_dunder(name) and name != "__name__":
            _fail(line, f"name {name}")
        if is_stored:
            self.assign(name)
        elif name not in self.assigned:
            if name not in self.outer:
                _fail(line, f"{name} is read, and was not assigned")
            self.borrowed.setdefault(name, line)

    def assign(self, name: str) -> None:
        """The name is the scope's own."""
        if name in self.borrowed and not self.hides:
            _fail(self.borrowed[name], f"{name} is read, and was not assigned")
        self.assigned.add(name)

    def function(self, node: ast.FunctionDef) -> None:
        """A function's defaults in this scope, its body in one of its own."""
        arguments = node.args
        given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        given += [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
        said = [a.annotation for a in given] + [node.returns]
        around = [*said, *arguments.defaults, *arguments.kw_defaults]
        self.run([part for part in around if part is not None])
        inner = _Scope(self.outer, self.plain)
        inner.assigned.update(a.arg for a in given)
        inner.run(node.body)

    def comprehension(
        self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp
    ) -> None:
        """Its names are its own: they hide what is outside, and are gone behind it."""
        first, *others = node.generators
        self.run([first.iter])
        inner = _Scope(self.outer | self.assigned, self.plain, hides=True)
        inner.run([first.target, *first.ifs])
        for generator in others:
            inner.run([generator.iter, generator.target, *generator.ifs])
        inner.run([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        for name, read in inner.borrowed.items():
            self.name(name, False, read)


def _is_mark(node: ast.Expr) -> bool:
    return isinstance(node.value, ast.Constant) and node.value.value is ...


#: Nodes that hold no others, and nothing to look at.
_SAY_NOTHING = frozenset(
    {ast.Constant, ast.Load, ast.Store, ast.Del, ast.Pass, ast.Break, ast.Continue}
)


#: Names of Python's that helper functions rely on exist in every version.
assert all(hasattr(builtins, name) for name in BUILTINS)
