"""Documents as LaTeX, for math mode; the notation is that of :mod:`symdiff.inspect.text`.

Only commands that KaTeX and amsmath both know are used.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from symdiff.inspect.drawing import Drawing
from symdiff.inspect.layout import Doc, Level, Quotient, Total
from symdiff.inspect.text import number_text

_GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)
_COMMANDS = {
    **{f: rf"\{f}" for f in "exp log sin cos tan sinh cosh tanh max arctan".split()},
    "sigmoid": r"\sigma",
    "trace": r"\operatorname{tr}",
}
_SIGNS = {"lt": "<", "le": r"\le", "gt": ">", "ge": r"\ge", "eq": "=", "ne": r"\ne"}
_SPECIAL = str.maketrans({c: rf"\{c}" for c in "_&%$#{}"})


def name_latex(text: str) -> str:
    r"""``W1`` as W_{1}, ``alpha`` as \alpha, ``d_h`` as d_{h}, longer words upright."""
    if not text.isidentifier():
        return rf"\text{{{text.translate(_SPECIAL)}}}"
    head, _, tail = text.partition("_")
    if not head or text.endswith("_"):
        return rf"\mathrm{{{text.translate(_SPECIAL)}}}"
    found = re.fullmatch(r"(.*?\D)(\d+)", head)
    stem, digits = found.groups() if found else (head, "")
    if stem in _GREEK:
        stem = rf"\{stem}"
    elif len(stem) > 1:
        stem = rf"\mathrm{{{stem}}}"
    below = ", ".join(part for part in (digits, *map(name_latex, filter(None, [tail]))) if part)
    return f"{stem}_{{{below}}}" if below else stem


class Latex(Drawing):
    """Math-mode LaTeX."""

    def name(self, text: str) -> str:
        return name_latex(text)

    def partial(self, of: str, by: str, order: int) -> str:
        power = "" if order == 1 else f"^{{{order}}}"
        below = name_latex(by)
        below = rf"\left({below}\right){power}" if power and "_" in below else below + power
        return rf"\frac{{\partial{power} {name_latex(of)}}}{{\partial {below}}}"

    def number(self, value: float) -> str:
        mantissa, e, exponent = number_text(value).partition("e")
        mantissa = mantissa.replace("∞", r"\infty").replace("nan", r"\mathrm{nan}")
        power = rf"10^{{{exponent}}}"
        if not e:
            return mantissa
        return power if mantissa == "1" else rf"{mantissa} \cdot {power}"

    def literal(self, rows: Sequence[str]) -> str:
        return rf"\left[{', '.join(rows)}\right]"

    def sum(self, terms: Sequence[tuple[bool, str]]) -> str:
        (minus, first), *rest = terms
        tail = "".join(f" {'-' if m else '+'} {term}" for m, term in rest)
        return f"{'-' if minus else ''}{first}{tail}"

    def product(self, factors: Sequence[str]) -> str:
        return r" \, ".join(factors)

    def elementwise(self, factors: Sequence[str]) -> str:
        return r" \odot ".join(factors)

    def quotient(self, top: Doc, bottom: Doc) -> str:
        return rf"\frac{{{self.draw(top)}}}{{{self.draw(bottom)}}}"

    def power(self, base: str, exponent: Doc) -> str:
        return f"{base}^{{{self.draw(exponent)}}}"

    def root(self, body: str) -> str:
        return rf"\sqrt{{{body}}}"

    def transpose(self, base: str) -> str:
        return rf"{base}^{{\top}}"

    def norm(self, body: str) -> str:
        return rf"\left\lVert {body} \right\rVert"

    def magnitude(self, body: str) -> str:
        return rf"\left\lvert {body} \right\rvert"

    def apply(
        self, function: str, arguments: Sequence[str], keywords: Sequence[tuple[str, str]]
    ) -> str:
        escaped = function.translate(_SPECIAL)
        command = _COMMANDS.get(function, rf"\operatorname{{{escaped}}}")
        plain = [f"{key}={value}" if key else value for key, value in keywords]
        named = [rf"\text{{{keyword.translate(_SPECIAL)}}}" for keyword in plain]
        return rf"{command}\left({', '.join([*arguments, *named])}\right)"

    def total(self, body: Doc, over: Sequence[str]) -> str:
        below = ", ".join(rf"\text{{{label.translate(_SPECIAL)}}}" for label in over)
        sign = rf"\sum_{{{below}}}" if over else r"\sum"
        return rf"{sign} {self.at(body, Level.PRODUCT)}"

    def indexed(self, base: str, letters: str) -> str:
        """A base that ends in a subscript of its own is put in braces: LaTeX refuses two."""
        if not letters:
            return base
        return f"{{{base}}}_{{{letters}}}" if base.endswith("}") else f"{base}_{{{letters}}}"

    def index_sum(self, letters: str, body: str) -> str:
        return rf"\sum_{{{letters}}} {body}" if letters else body

    def subscript(self, base: str, items: Sequence[str]) -> str:
        plain = [rf"\text{{{i}}}" if i in (":", "None") else i for i in items]
        return rf"{base}\left[{', '.join(plain)}\right]"

    def relation(self, left: str, sign: str, right: str) -> str:
        return f"{left} {_SIGNS[sign]} {right}"

    def bracket(self, body: str) -> str:
        return rf"\left[{body}\right]"

    def cases(self, condition: str, then: str, otherwise: str) -> str:
        rows = rf"{then} & \text{{if }} {condition} \\ {otherwise} & \text{{otherwise}}"
        return rf"\begin{{cases}} {rows} \end{{cases}}"

    def parentheses(self, body: str) -> str:
        return rf"\left({body}\right)"

    def level(self, doc: Doc) -> Level:
        """As in text, but a fraction's bar binds what it parts, and sums have no brackets."""
        if isinstance(doc, Quotient):
            return Level.PRODUCT
        return Level.ELEMENTWISE if isinstance(doc, Total) else super().level(doc)


LATEX = Latex()
