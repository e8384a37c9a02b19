"""From nodes to programs: each node is lowered once, in an order that reads well."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from codegen.builder import Builder
from codegen.order import by_depth, down_to, reading_order
from codegen.program import LEAVES, Program, live
from symdiff.expr.node import Node


@dataclass(frozen=True, slots=True)
class Asked:
    """Leaves whose values the caller's function makes of nodes, both by parameter."""

    leaves: Mapping[str, Node]
    given: Mapping[str, Node]


def build_program(
    results: Mapping[str, Node],
    dtype: str = "float64",
    first: Sequence[Node] = (),
    short: bool = False,
    asked: Asked | None = None,
    early: bool = False,
) -> Program:
    """The program that computes the results, each in memory of its own.

    ``dtype`` is the dtype of the module.  Nodes of ``first`` that the results need are computed as
    early as that order allows: the order in which a person wrote them reads best.  With ``short``,
    functions are spelled in fewer calls rather than in faster ones.  ``asked`` are leaves that are
    had on the way.  Results come ``early`` where they are to be made as soon as they can be, and
    not in their own order.
    """
    builder = Builder(dtype, short)
    registers = _lowered(builder, list(results.values()), first, {}, asked, early)
    taken: set[int] = set()
    places: dict[str, int] = {}
    for label, node in results.items():
        register = builder.owned(registers[node], taken)
        builder.nodes.setdefault(register, node)
        taken.add(builder.base(register))
        places[label] = register
    return _finished(builder, places)


def build_block(
    around: Builder,
    results: Mapping[str, Node],
    given: Mapping[Node, Callable[[Builder], int]],
    carried: Collection[str] = (),
) -> Program:
    """The program of a block; ``given`` nodes are not computed, but read as the functions say.

    The results that are ``carried`` to another run of the block are no views of what may not be
    there any more.
    """
    builder = Builder(around.dtype, around.short)
    registers = _lowered(builder, list(results.values()), list(given), given)
    places = {label: builder.strong(registers[node]) for label, node in results.items()}
    for label in carried:
        step = builder.steps[places[label]]
        base = builder.steps[builder.base(step.dest)]
        if base is not step or base.action in LEAVES:
            places[label] = builder.emit("copy", [step.dest], shape=step.shape, dtype=step.dtype)
    return _finished(builder, places)


def _lowered(
    builder: Builder,
    roots: Sequence[Node],
    first: Sequence[Node],
    given: Mapping[Node, Callable[[Builder], int]],
    asked: Asked | None = None,
    early: bool = False,
) -> dict[Node, int]:
    """The registers of all nodes that the roots need, down to those that are given."""
    from codegen.branches import choices, lower_choice
    from codegen.lowering import lower

    reads: dict[Node, Sequence[Node]] = dict.fromkeys(given, ())
    entries: dict[Node, str] = {}
    if asked is not None:
        entries = {leaf: name for name, leaf in asked.leaves.items()}
        reads |= dict.fromkeys(entries, tuple(asked.given.values()))
    plain = down_to(roots, reads)
    chosen = choices(plain, roots, reads)
    if chosen:
        reads |= {node: choice.reads for node, choice in chosen.items()}
        plain = down_to(roots, reads)
    order = reading_order(by_depth(roots, reads, plain) if early else roots, first, reads, plain)
    users: dict[Node, list[Node]] = {}
    for node in order:
        for x in reads.get(node, node.inputs):
            users.setdefault(x, []).append(node)
    builder.users = users
    registers: dict[Node, int] = {}
    for node in order:
        if node in registers:
            continue
        if node in given:
            registers[node] = given[node](builder)
        elif node in entries:
            assert asked is not None
            registers[node] = _entry(builder, node, entries[node], asked, registers)
        elif node in chosen:
            registers |= lower_choice(builder, chosen[node], registers)
        else:
            registers[node] = lower(builder, node, [registers[x] for x in node.inputs])
        builder.nodes.setdefault(registers[node], node)
    return registers


def _entry(
    builder: Builder, leaf: Node, name: str, asked: Asked, registers: Mapping[Node, int]
) -> int:
    """What the caller's function says for one parameter; it is called once for all."""
    args = [registers[node] for node in asked.given.values()]
    names = tuple(asked.given)
    answer = builder.emit("asked", args, shape=(), dtype=leaf.dtype, names=names)
    return builder.emit("entry", [answer], shape=leaf.shape, dtype=leaf.dtype, name=name)


def _finished(builder: Builder, places: Mapping[str, int]) -> Program:
    from codegen.absorbed import absorbed
    from codegen.brief import brief
    from codegen.common import common_parts
    from codegen.dots import summed_parts
    from codegen.fuse import fused
    from codegen.outward import views_outward
    from codegen.tidy import tidy

    whole = Program(tuple(builder.steps), places, builder.nodes, tuple(builder.divisors))
    program = live(whole)
    program = live(program.with_steps(fused(program, builder.short)))
    if builder.short:
        program = absorbed(live(brief(program, builder.dtype)))
        program = summed_parts(views_outward(program))
    program = live(program.with_steps(tidy(program)))
    return common_parts(program) if builder.short else program
