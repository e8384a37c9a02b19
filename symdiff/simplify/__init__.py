"""Simplification: named rules in phases, with a trace of what each did and leaned on."""

from symdiff.simplify.pipeline import Simplified, simplify

__all__ = ["Simplified", "simplify"]
