"""The chain rule on small formulas: what is derived, why, and its numbers.

The last is the neuron of Stanford's CS231n notes on backpropagation, at the lecture's point: its
value is 0.73, and 0.20 flows back from the sigmoid to the sum.
"""

from __future__ import annotations

import symdiff as sd

NEURON = {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}
EXAMPLES = [
    ("sin(5 * exp(x))", {"x": 0.5}),
    ("(x + y) * z", {"x": 3.0, "y": 5.0, "z": 2.0}),
    ("1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))", NEURON),
]


def main() -> None:
    """Print each formula's derivatives by all of its variables."""
    for formula, point in EXAMPLES:
        at = ", ".join(f"{name} = {value:g}" for name, value in point.items())
        found = {name: sd.derive(formula, wrt=name) for name in point}
        first, *_ = found.values()
        print(f"{formula} is {first.value(**point):.2f} at {at}")
        print("".join(f"  {line}\n" for line in first.text.splitlines()[:-1]), end="")
        for each in found.values():
            print(f"  {each.text.splitlines()[-1]:38} = {each.derivative(**point):.2f}")


if __name__ == "__main__":
    main()
