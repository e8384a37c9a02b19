"""The command line: ``symdiff compile | inspect | derive | cost | check | doctor``.

Exit status: 0 done; 1 a check failed; 2 the command or the spec is wrong, with every fault on a
line of standard error.  Heavy imports happen inside the commands, so that ``--help`` is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import symdiff

if TYPE_CHECKING:
    from symdiff.compiler import Compiled

SPEC = click.argument("spec", type=click.Path(path_type=Path))


@contextmanager
def faults() -> Iterator[None]:
    """What users gave wrong, as lines on standard error and exit status 2; no traceback."""
    from symdiff.errors import SpecError

    try:
        yield
    except SpecError as error:
        click.echo("\n".join(error.lines), err=True)
        sys.exit(2)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"{place}error: {error.strerror or error}", err=True)
        sys.exit(2)


def _names(text: str | None) -> list[str] | None:
    """Names with commas between them; None where there is no such option."""
    return None if text is None else [f.strip() for f in text.split(",") if f.strip()]


EXAMPLE_AXIS = click.option(
    "--example-axis",
    "axes",
    default="batch",
    show_default=True,
    metavar="AXIS,...",
    help="The axes of the inputs whose places are the examples; user/row splits the batch of the "
    "spec into users of several rows, the users being the examples.",
)


def _compiled(
    spec: Path,
    functions: str | None = None,
    style: str = "buffered",
    axes: str = "batch",
    memory: str | None = None,
    at: dict[str, int] | None = None,
) -> Compiled:
    from symdiff.compiler import compile_spec

    compiled = compile_spec(
        spec,
        _names(functions),
        style=style,
        example_axis=_names(axes) or "batch",
        memory=memory,
        at=at,
    )
    for line in compiled.warnings:
        click.echo(line, err=True)
    return compiled


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(symdiff.__version__, prog_name="symdiff")
def main() -> None:
    """Compile a network's equations, and their simplified derivatives, to one NumPy module."""


@main.command("compile")
@SPEC
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write the module here, not to stdout."
)
@click.option(
    "--functions",
    metavar="NAME,...",
    help="Emit these functions only; it is an error if one cannot be had.",
)
@click.option(
    "--tests", type=click.Path(path_type=Path), help="Also write a pytest file for the module."
)
@click.option(
    "--style",
    type=click.Choice(["buffered", "plain"]),
    default="buffered",
    show_default=True,
    help="Calls into kept arrays, or expressions for reading.",
)
@click.option(
    "--memory",
    metavar="LIMIT",
    help="Compute values again so that the arrays of a call stay within so many bytes: 64MB.",
)
@click.option("--at", "sizes", multiple=True, metavar="SIZE=N,...", help="Sizes for --memory.")
@EXAMPLE_AXIS
def compile_command(
    spec: Path,
    output: Path | None,
    functions: str | None,
    tests: Path | None,
    style: str,
    memory: str | None,
    sizes: tuple[str, ...],
    axes: str,
) -> None:
    """Compile SPEC to a NumPy module."""
    from symdiff.files import write_together

    if tests is not None and output is None:
        raise click.UsageError("--tests needs -o: the tests import the module's file")
    if sizes and memory is None:
        raise click.UsageError("--at says where --memory is to hold, which is not given")
    if memory is not None and style == "plain":
        raise click.UsageError("--memory goes with --style buffered: plain text keeps all")
    with faults():
        compiled = _compiled(spec, functions, style, axes, memory, _counts(sizes))
        if output is None:
            click.echo(compiled.source, nl=False)
            return
        files = {output: compiled.source}
        if tests is not None:
            if tests.resolve() == output.resolve():
                raise click.UsageError("--tests and -o name the same file")
            files[tests] = compiled.tests_for(output, tests)
        write_together(files)


@main.command()
@SPEC
@click.option("--wrt", multiple=True, metavar="NAME", help="Differentiate with respect to this.")
@click.option(
    "--of",
    type=click.Choice(["backward", "hvp", "norms"]),
    default="backward",
    show_default=True,
    help="Which derivative to show.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "latex", "json"]),
    default="text",
    show_default=True,
)
@click.option("--raw", is_flag=True, help="Before simplification.")
@click.option("--trace", is_flag=True, help="Also the rules that were applied.")
@click.option("--equations", is_flag=True, help="Only the equations that the spec stands for.")
@EXAMPLE_AXIS
def inspect(
    spec: Path,
    wrt: tuple[str, ...],
    of: str,
    form: str,
    raw: bool,
    trace: bool,
    equations: bool,
    axes: str,
) -> None:
    """Show the derivative of SPEC's loss, simplified."""
    from symdiff.compiler import inspect_spec

    with faults():
        text = inspect_spec(
            spec,
            list(wrt),
            of,
            form,
            raw=raw,
            trace=trace,
            equations=equations,
            example_axis=_names(axes) or "batch",
        )
        click.echo(text.rstrip("\n"))


def _pairs(values: Iterable[str], option: str) -> list[tuple[str, str]]:
    pairs = []
    for value in values:
        name, equals, rest = value.partition("=")
        if not equals or not name.isidentifier():
            raise click.BadParameter(f"{value!r} is not NAME=VALUE", param_hint=option)
        pairs.append((name, rest))
    return pairs


def _shape(text: str, name: str) -> tuple[int | str, ...]:
    sizes: list[int | str] = []
    for part in text.strip("() ").split(","):
        part = part.strip()
        if part.isdecimal():
            sizes.append(int(part))
        elif part.isidentifier():
            sizes.append(part)
        elif part:
            raise click.BadParameter(
                f"{name}={text}: {part!r} is neither a number nor a name", param_hint="--shape"
            )
    return tuple(sizes)


def _fact(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition(":")
    if not equals:
        return key, True
    try:
        numbers = [float(part) for part in value.split(",")]
    except ValueError:
        raise click.BadParameter(f"{text!r}: {value!r} is no number", param_hint="--fact") from None
    if key == "range":
        return key, tuple(numbers)
    return key, int(numbers[0]) if numbers[0].is_integer() else numbers[0]


def _indented(lines: list[str], wanted: bool) -> list[str]:
    return ["", *(f"    {line}" for line in lines)] if wanted else []


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("expr")
@click.option("--wrt", required=True, metavar="NAME", help="The variable.")
@click.option("--shape", "shapes", multiple=True, metavar="NAME=3,n", help="A variable's shape.")
@click.option(
    "--fact",
    "facts_",
    multiple=True,
    metavar="NAME=FACT",
    help="What is known of a variable: sums_to_one, positive, labels:10, range:0,1 ...",
)
@click.option("--order", type=click.IntRange(1, 2), default=1, show_default=True)
@click.option("--direction", metavar="V", help="The Hessian times this input (order 2).")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "latex", "numpy", "json"]),
    default="text",
    show_default=True,
)
@click.option("--trace", is_flag=True, help="Also the rules that were applied (text; json always).")
def derive(
    expr: str,
    wrt: str,
    shapes: tuple[str, ...],
    facts_: tuple[str, ...],
    order: int,
    direction: str | None,
    form: str,
    trace: bool,
) -> None:
    """Differentiate one formula, as people write it: symdiff derive "log(1 + exp(x))" --wrt x."""
    from symdiff.derive import derive as run

    facts: dict[str, dict[str, Any]] = {}
    for name, text in _pairs(facts_, "--fact"):
        key, value = _fact(text)
        facts.setdefault(name, {})[key] = value
    sizes = {name: _shape(text, name) for name, text in _pairs(shapes, "--shape")}
    with faults():
        result = run(expr, wrt=wrt, shapes=sizes, facts=facts, order=order, direction=direction)
        views: dict[str, Callable[[], str]] = {
            "text": lambda: "\n".join([result.text, *_indented(result.trace_lines(), trace)]),
            "latex": lambda: result.latex,
            "numpy": lambda: result.source,
            "json": result.to_json,
        }
        click.echo(views[form]().rstrip("\n"))


@main.command()
@SPEC
@click.option("--at", "sizes", multiple=True, metavar="SIZE=N,...", help="Numbers at these sizes.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
)
@click.option("--functions", metavar="NAME,...", help="Of these functions only.")
@EXAMPLE_AXIS
def cost(spec: Path, sizes: tuple[str, ...], form: str, functions: str | None, axes: str) -> None:
    """Flops, matrix products, bytes and memory of each function, as formulas and as numbers."""
    from symdiff.costs import cost_spec

    with faults():
        found = cost_spec(spec, _counts(sizes), _names(functions), _names(axes) or "batch")
        click.echo(found.to_json() if form == "json" else found.to_text())


def _counts(sizes: Iterable[str]) -> dict[str, int]:
    """Numbers of --at, by the names of the sizes."""
    each = [part for text in sizes for part in text.split(",")]
    return {name: _count(text, name) for name, text in _pairs(each, "--at")}


def _count(text: str, name: str) -> int:
    if not text.isdecimal():
        raise click.BadParameter(f"{name}={text}: {text!r} is no whole number", param_hint="--at")
    return int(text)


@main.command()
@SPEC
@EXAMPLE_AXIS
def check(spec: Path, axes: str) -> None:
    """Compile SPEC and run the module's own checks of its derivatives."""
    with faults():
        compiled = _compiled(spec, axes=axes)
    sys.exit(compiled.check())


@main.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, 600),
    default=2.0,
    show_default=True,
    help="Measure for about so long; 0: not at all.",
)
def doctor(form: str, seconds: float) -> None:
    """What NumPy, BLAS and threads this machine has, how fast they are, and what to set."""
    from symdiff.doctor.report import examine

    report = examine(seconds)
    click.echo(report.to_json() if form == "json" else report.to_text())


if __name__ == "__main__":
    main()
