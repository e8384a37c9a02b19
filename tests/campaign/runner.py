"""Blocks of random cases, each named by a kind and a seed, that can be run again by that name.

A failure is shrunk by Hypothesis to the smallest case that fails in the same way.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

from tests.campaign.checks import check, check_users
from tests.campaign.draw import networks
from tests.campaign.expressions import check_expression, expressions
from tests.campaign.network import Network
from tests.campaign.textbook import check_textbook, spellings, variants

#: Cases in a block: the first of a block is the simplest there is, the others random.
BLOCK = 8


@dataclass(frozen=True)
class Kind:
    """A kind of case: how it is drawn, what is checked of it, how it is printed."""

    strategy: Callable[[], st.SearchStrategy[Any]]
    check: Callable[[Any], None]
    show: Callable[[Any], str]


def _check_network(network: Network) -> None:
    text = network.toml()
    check(text, seed=len(text), batch=1 if len(text) % 4 == 0 else 3)


def _check_users(network: Network) -> None:
    text = network.toml()
    check_users(text, seed=len(text), rows=1 + len(text) % 3)


KINDS: Mapping[str, Kind] = {
    "expressions": Kind(expressions, check_expression, lambda case: str(case.text())),
    "networks": Kind(networks, _check_network, lambda case: str(case.toml())),
    "spellings": Kind(spellings, check_textbook, lambda case: str(case.text())),
    "variants": Kind(variants, check_textbook, lambda case: str(case.text())),
    "users": Kind(networks, _check_users, lambda case: str(case.toml())),
}


@dataclass(frozen=True)
class Failure:
    """A case that failed: where it came from, what it is, and how it failed."""

    kind: str
    seed: int
    case: str
    error: str

    def __str__(self) -> str:
        again = f"python -m tests.campaign --replay {self.kind}:{self.seed}"
        return f"{self.error}\n{self.case}\nagain: {again}"


def run_block(kind: str, seed: int, cases: int = BLOCK, shrink: bool = True) -> Failure | None:
    """The cases of one seed; the failure, shrunk, if there is one."""
    of = KINDS[kind]
    last: list[tuple[Any, BaseException]] = []
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize=False,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @hypothesis.given(of.strategy())
    def run(case: Any) -> None:
        try:
            of.check(case)
        except Exception as error:
            last.append((case, error))
            raise

    try:
        run()
    except Exception:
        if not last:
            raise
        case, own = last[-1]
        told = "".join(traceback.format_exception(own, limit=-4))
        return Failure(kind, seed, of.show(case), told)
    return None


def seeds(first: int, only: str | None) -> Iterator[tuple[str, int]]:
    """Blocks without end, the kinds in turn."""
    seed = first
    while True:
        for kind in KINDS if only is None else (only,):
            yield kind, seed
        seed += 1
