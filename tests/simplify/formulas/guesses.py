"""Likelihoods with a share of guesses or of ties, of which nothing need be declared."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

BITS = v([1.0, 0.0], zero_or_one=True)
SIGMOID = "1/(1+np.exp(-a*(t-b)))"
GUESSED = f"(c+(1-c)*({SIGMOID}))"
TIES = "(np.exp(a)+np.exp(b)+n*np.sqrt(np.exp(a)*np.exp(b)))"
TABLE: dict[str, Row] = {
    "three_parameter_item": (
        f"-np.sum(y*np.log({GUESSED})+(1-y)*np.log(1-{GUESSED}))",
        "t",
        {
            "t": v(0.3, 600.0),
            "a": v([1.0, 2.0]),
            "b": v([0.0, 0.5]),
            "c": v([0.2, 0.1], [0.2, 1e-10]),
            "y": BITS,
        },
    ),
    "three_parameter_item_range": (
        f"-np.sum(y*np.log({GUESSED})+(1-y)*np.log(1-{GUESSED}))",
        "a",
        {
            "t": v(0.3, 300.0),
            "a": v([1.0, 2.0], positive=True),
            "b": v([0.0, 0.5]),
            "c": v([0.2, 0.1], [0.2, 1e-10], range=(0.0, 1.0)),
            "y": BITS,
        },
    ),
    "ties": (
        f"-np.sum(np.log(np.exp(a)/{TIES}))",
        "b",
        {
            "a": v([0.3, -1.0, 2.0], [800.0, -900.0, 1000.0]),
            "b": v([0.0, 0.1, 0.2], [801.0, -1000.0, 990.0]),
            "n": v(0.5),
        },
    ),
    "davidson": (
        f"-np.sum(y*np.log(np.exp(a)/{TIES})+(1-y)*np.log(n*np.exp((a+b)/2)/{TIES}))",
        "a",
        {
            "a": v([0.3, -1.0], [800.0, -900.0]),
            "b": v([0.0, 0.1], [801.0, -1000.0]),
            "n": v(0.5),
            "y": BITS,
        },
    ),
}
