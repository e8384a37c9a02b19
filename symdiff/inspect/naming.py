"""Which expressions get a name, and the lines that define them.

A node is named if the caller names it, if it is read more than once and is not short, or if a line
would grow too long or nest too deep without.  Everything is decided bottom-up in topological order,
with no recursion over the graph: a chain 10 000 deep becomes lines of bounded length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, count

from symdiff.expr.loops import LOOP_READERS, readers_of
from symdiff.expr.node import Node
from symdiff.expr.shapes import Shape
from symdiff.expr.views import is_view
from symdiff.inspect.layout import Apply, Doc, IndexSum, Name
from symdiff.inspect.operations import document
from symdiff.inspect.recurrences import Recurrence, recurrence
from symdiff.inspect.text import TEXT

#: A line is at most this wide, unless the one operation on it has many operands.
LINE = 88
#: A shared expression no wider than this is written out wherever it is read.
SHORT = 12
#: Parentheses nest at most this deep.
DEEPEST = 4

_LEAVES = ("input", "parameter", "size", "arange")


@dataclass(frozen=True, slots=True)
class Line:
    """``label = doc``, and the shape of both; ``defined`` marks intermediate results."""

    label: Doc
    doc: Doc
    shape: Shape
    defined: bool


def as_label(name: str | Doc) -> Doc:
    """A label from a plain string; a document is kept."""
    return Name(name) if isinstance(name, str) else name


def lines(
    roots: Mapping[str | Doc, Node],
    names: Mapping[Node, str | Doc] | None = None,
    known: Mapping[Node, str | Doc] | None = None,
    taken: Iterable[str] = (),
) -> list[Line]:
    """The roots in order, each below the definitions that it needs and that are not above yet.

    ``names`` gives nodes below the roots names of the user's; other intermediate results that need
    one are called t1, t2, ….  A root is also the name of its node in the lines of others, unless
    that is short.  Nodes that are ``known`` have names, and no definition: what is below them does
    not matter.  No intermediate result takes a name that is ``taken``.
    """
    return _Naming(roots, names or {}, known or {}, taken=taken).lines()


def brief(node: Node, known: Mapping[Node, str | Doc] | None = None) -> Doc:
    """One line for a node: what would need a name of its own is left out, as ``…``."""
    inner = {x: name for x, name in (known or {}).items() if x is not node}
    return _Naming({"": node}, {}, inner, elide=True).lines()[-1].doc


class _Naming:
    """The documents of one set of roots."""

    def __init__(
        self,
        roots: Mapping[str | Doc, Node],
        names: Mapping[Node, str | Doc],
        known: Mapping[Node, str | Doc],
        elide: bool = False,
        taken: Iterable[str] = (),
    ) -> None:
        self.elide = elide
        self.taken = set(taken)
        self.roots = {as_label(label): node for label, node in roots.items()}
        self.known = {node: as_label(name) for node, name in known.items()}
        self.order = _order(self.roots.values(), self.known)
        present = set(self.order)
        self.given = {
            node: as_label(name)
            for node, name in names.items()
            if node in present and not _is_leaf(node)
        }
        self.given.update((n, label) for n, label in self.known.items() if n in present)
        self.top: dict[Node, Doc] = {}
        for label, node in self.roots.items():
            if node not in self.given and not _is_plain(node):
                self.top.setdefault(node, label)
        self.labels: dict[Node, Doc] = {**self.top, **self.given}
        self.automatic: set[Node] = set()
        self.shared = self._shared()
        self.docs: dict[Node, Doc] = {}
        self.loops = self._loops()

    def _shared(self) -> set[Node]:
        """Nodes that are read more than once, views and casts counting as often as they are."""
        reads = dict.fromkeys(self.order, 0)
        for node in self.roots.values():
            reads[node] += 1
        for node in reversed(self.order):
            through = _is_transparent(node) and node not in self.labels
            for x in () if node in self.known else node.inputs:
                reads[x] += reads[node] if through else 1
        return {node for node, n in reads.items() if n > 1}

    def _loops(self) -> dict[Node, Recurrence]:
        """The loops, their values named as nothing else is."""
        taken = self._taken()

        def fresh(wanted: str) -> str:
            name = next(n for n in chain([wanted], _numbered(wanted)) if n not in taken)
            taken.add(name)
            self.taken.add(name)
            return name

        inner = [node for node in self.order if node not in self.known]
        return {hub: recurrence(hub, readers, fresh) for hub, readers in readers_of(inner).items()}

    def lines(self) -> list[Line]:
        inner = [node for node in self.order if node not in self.known]
        self.docs.update(self.known)
        for node in inner:
            self.docs[node] = self._fitted(node)
            if node in self.top and len(TEXT.draw(self.docs[node])) <= SHORT:
                del self.top[node], self.labels[node]
            elif self._wants_name(node):
                self._name(node)
        self._number()
        for node in inner:
            self.docs[node] = self._document(node)
        return self._in_order(inner)

    def _in_order(self, inner: list[Node]) -> list[Line]:
        place = {node: i for i, node in enumerate(inner)}
        result: list[Line] = []
        done = 0
        for label, root in self.roots.items():
            stop = place.get(root, -1) + 1
            for node in inner[done:stop]:
                if node in self.loops:
                    result += self._loop_lines(self.loops[node])
                elif node in self.labels and node not in self.top:
                    result.append(Line(self.labels[node], self.docs[node], node.shape, True))
            done = max(done, stop)
            own = self.labels.get(root) in (None, label)
            doc = self.docs[root] if own else self.labels[root]
            result.append(Line(label, doc, root.shape, False))
        return result

    def _loop_lines(self, loop: Recurrence) -> list[Line]:
        """Where a loop begins, and how it goes on, below the definitions that its step needs."""
        begin = [Line(label, doc, x.shape, True) for label, doc, x in loop.starts(self._look)]
        known: dict[Node, str | Doc] = {**loop.known(self._look)}
        steps = lines(loop.step(), None, known, self._taken())
        self.taken |= {line.label.text for line in steps if isinstance(line.label, Name)}
        return [*begin, *(replace(line, defined=True) for line in steps)]

    def _look(self, node: Node) -> Doc:
        return self.labels.get(node) or self.docs[node]

    def _document(self, node: Node) -> Doc:
        if node.op in LOOP_READERS:
            return self.loops[node.inputs[0]].reader(node)
        return document(node, self._look)

    def _fitted(self, node: Node) -> Doc:
        """The node's document, with the widest of its parts named until it fits a line."""
        if node in self.loops:  # each round reads what the loop is given
            for x in node.inputs[node.attr("counts")[0] :]:
                if x not in self.labels and len(TEXT.draw(self.docs[x])) > SHORT:
                    self._name(x)
            return Name("")
        doc = self._document(node)
        while len(drawn := TEXT.draw(doc)) > LINE or _depth(drawn) > DEEPEST:
            parts = [p for x in node.inputs for p in self._nameable(x)]
            if not parts:
                break
            deep = _depth(drawn) > DEEPEST
            self._name(max(parts, key=lambda part: self._size(part, deep)))
            for x in node.inputs:
                self._redo(x)
            doc = self._document(node)
        return doc

    def _size(self, node: Node, deep: bool) -> tuple[int, int]:
        drawn = TEXT.draw(self.docs[node])
        return (_depth(drawn), len(drawn)) if deep else (len(drawn), 0)

    def _nameable(self, node: Node) -> list[Node]:
        """The node, or what it is a view or cast of, if it is written out and worth a name."""
        while _is_transparent(node) and node not in self.labels:
            node = node.inputs[0]
        if node in self.labels or _is_leaf(node):
            return []
        return [node] if len(TEXT.draw(self.docs[node])) > SHORT // 2 else []

    def _redo(self, node: Node) -> None:
        """The documents of views again, whose operand may have got a name."""
        chain = []
        while _is_transparent(node) and node not in self.labels:
            chain.append(node)
            node = node.inputs[0]
        for view in reversed(chain):
            self.docs[view] = self._document(view)

    def _wants_name(self, node: Node) -> bool:
        if node in self.labels or _is_leaf(node) or _is_transparent(node):
            return False
        if node in self.loops or node.op in LOOP_READERS:
            return False
        doc = self.docs[node]
        if isinstance(doc, IndexSum) or (node.op == "constant" and isinstance(doc, Apply)):
            return True
        return node in self.shared and len(TEXT.draw(doc)) > SHORT

    def _name(self, node: Node) -> None:
        self.labels[node] = Name("t0")
        self.automatic.add(node)

    def _taken(self) -> set[str]:
        """The names that are something already."""
        taken = set(self.taken)
        taken |= {node.attr("name") for node in self.order if node.op in ("input", "parameter")}
        taken |= {label.text for label in self.labels.values() if isinstance(label, Name)}
        return taken | {label.text for label in self.roots if isinstance(label, Name)}

    def _number(self) -> None:
        """t1, t2, … in the order of evaluation, past names that are taken."""
        if self.elide:
            self.labels.update(dict.fromkeys(self.automatic, Name("…")))
            return
        taken = self._taken()
        fresh = (f"t{n}" for n in count(1))
        for node in self.order:
            if node in self.automatic:
                self.labels[node] = Name(next(name for name in fresh if name not in taken))


def _numbered(name: str) -> Iterator[str]:
    """h2, h3, …; where the name has a number already, h1_2, h1_3, …."""
    mark = "_" if name[-1:].isdigit() else ""
    return (f"{name}{mark}{n}" for n in count(2))


def _order(roots: Iterable[Node], known: Mapping[Node, Doc]) -> list[Node]:
    """The nodes that the roots need, inputs before users, those of the first root first."""
    order: list[Node] = []
    done: set[Node] = set()
    stack = [(node, False) for node in reversed(list(roots))]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in done:
            done.add(node)
            stack.append((node, True))
            if node not in known:
                stack.extend((x, False) for x in reversed(node.inputs) if x not in done)
    return order


def _is_leaf(node: Node) -> bool:
    return node.op in _LEAVES or (node.op == "constant" and node.ndim == 0)


def _is_plain(node: Node) -> bool:
    """Whether the node is a leaf, or a view of one: nothing that another line could refer to."""
    while _is_transparent(node):
        node = node.inputs[0]
    return _is_leaf(node) or node.op == "constant"


def _is_transparent(node: Node) -> bool:
    return node.op == "cast" or is_view(node)


def _depth(text: str) -> int:
    """How deep parentheses nest."""
    deepest = depth = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        deepest = max(deepest, depth)
    return deepest
