"""Why the loss must match the output unit: gradients at logits that are very wrong.

The true class is the first, and its logit z falls.  Squared error saturates with the unit that it
reads, so that the worse the answer, the less there is to learn from; the negative log-likelihood
undoes the exponential and keeps asking for the same step (Goodfellow, Bengio, Courville, Deep
Learning, 2016, section 6.2.2; its equation 6.18 is the clipped linear unit, whose gradient is
nothing as soon as it is outside the unit interval).
"""

from __future__ import annotations

import numpy as np

import symdiff as sd

LOGITS = (0.0, -2.0, -10.0, -100.0, -1e4)
ONE = {"y": {"zero_or_one": True}}
HOT = {"y": {"one_hot": True}}
VECTORS = {"z": (3,), "y": (3,)}

UNITS = {
    "squared sigmoid": sd.derive("(sigmoid(z) - y)**2", wrt="z", facts=ONE),
    "squared clipped": sd.derive("(maximum(0, minimum(1, z)) - y)**2", wrt="z", facts=ONE),
    "squared softmax": sd.derive("sum((softmax(z) - y)**2)", wrt="z", shapes=VECTORS, facts=HOT),
    "-log sigmoid": sd.derive("-log(sigmoid((2*y - 1) * z))", wrt="z", facts=ONE),
    "-log softmax": sd.derive("-sum(y * log(softmax(z)))", wrt="z", shapes=VECTORS, facts=HOT),
}


def gradients(logit: float) -> dict[str, float]:
    """For each unit, the derivative of its loss with respect to the true class's logit."""
    found = {}
    for name, unit in UNITS.items():
        if "softmax" in name:
            z, y = np.array([logit, 0.0, 0.0]), np.array([1.0, 0.0, 0.0])
            found[name] = float(unit.derivative(z=z, y=y)[0])
        else:
            found[name] = float(unit.derivative(z=logit, y=1.0))
    return found


def main() -> None:
    """Print the table."""
    print("".join([f"{'z':>8}", *(f"{name:>17}" for name in UNITS)]))
    for logit in LOGITS:
        row = gradients(logit).values()
        print("".join([f"{logit:8g}", *(f"{value + 0.0:17.2e}" for value in row)]))


if __name__ == "__main__":
    main()
