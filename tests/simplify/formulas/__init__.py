"""Formulas as people write them, by family: id → (formula, wrt, variables, order, direction).

For each variable there is a benign value, one where the naive derivative breaks, and the facts that
the caller declares.
"""

from tests.simplify.formulas import (
    assorted,
    binary,
    confident,
    contrasts,
    densities,
    divergences,
    exponentials,
    extremes,
    likelihoods,
    margins,
    masks,
    moments,
    norms,
    norms_again,
    offsets,
    piecewise,
    products,
    rankings,
    robust,
    scales,
    seldom,
    sequences,
    sigmoids,
    softmaxes,
    spellings_again,
    statistics,
)
from tests.simplify.formulas.variables import Row

FAMILIES = (
    sigmoids,
    exponentials,
    softmaxes,
    binary,
    likelihoods,
    piecewise,
    norms,
    products,
    statistics,
    spellings_again,
    seldom,
    scales,
    rankings,
    sequences,
    margins,
    robust,
    densities,
    divergences,
    norms_again,
    moments,
    contrasts,
    assorted,
    masks,
    offsets,
    confident,
    extremes,
)
TABLE: dict[str, Row] = {name: row for family in FAMILIES for name, row in family.TABLE.items()}
