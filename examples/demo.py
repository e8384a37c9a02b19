"""The main job, whole: a spec compiled, trained on real images, and explained.

Compiles ``digits.toml`` to a module that needs only NumPy, trains it on scikit-learn's 1,797
images of handwritten digits by mini-batch gradient descent, shows the derivative of the loss with
respect to the logits and the rules that made it, and finds the images that the trained network
has most to learn from, by the norms of their gradients.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import matplotlib
import numpy as np
from rich.console import Console
from rich.progress import track
from sklearn.datasets import load_digits

matplotlib.use("Agg")
HERE = Path(__file__).parent
EPOCHS, BATCH, RATE, HELD_OUT = 40, 32, 0.1, 360


def symdiff(*arguments: str | Path) -> str:
    """The command of that name; what it prints."""
    command = [sys.executable, "-m", "symdiff", *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def load_module(path: Path) -> ModuleType:
    """The emitted file, imported like any other: nothing of symdiff is needed to run it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def train(digits: ModuleType, x: np.ndarray, y: np.ndarray, console: Console) -> tuple[dict, list]:
    """Parameters after mini-batch gradient descent, and the loss after every epoch."""
    params = digits.init(seed=0)
    rng = np.random.default_rng(0)
    curve = [float(digits.loss(params, x, y))]
    for _ in track(range(EPOCHS), description="training", console=console):
        order = rng.permutation(len(x))
        for start in range(0, len(x), BATCH):
            rows = order[start : start + BATCH]
            _, grads = digits.backward(params, x[rows], y[rows])
            for name, grad in grads.items():
                params[name] -= RATE * grad
        curve.append(float(digits.loss(params, x, y)))
    return params, curve


def draw(path: Path, images: np.ndarray, titles: list[str], curve: list[float]) -> None:
    """The images in two rows, and the loss curve below them."""
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=(10, 7), layout="constrained")
    grid = figure.add_gridspec(3, 5, height_ratios=(1, 1, 1.6))
    for place, (image, title) in enumerate(zip(images, titles, strict=True)):
        axes = figure.add_subplot(grid[place // 5, place % 5])
        axes.imshow(image.reshape(8, 8), cmap="gray_r")
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
    axes = figure.add_subplot(grid[2, :])
    axes.semilogy(curve)
    axes.set(xlabel="epoch", ylabel="loss on the training images")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main() -> None:
    """Run the demonstration; files go to the folder given by --out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE.parent / "demo-output")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False, soft_wrap=True)

    spec = HERE / "digits.toml"
    module_path = out / "digits.py"
    symdiff("compile", spec, "-o", module_path)
    digits = load_module(module_path)
    console.print(f"compiled {spec.name}: {len(module_path.read_text().splitlines())} lines")

    data = load_digits()
    x, y = (data.data / 16).astype(np.float32), data.target
    order = np.random.default_rng(1).permutation(len(x))
    x, y = x[order], y[order]
    x_train, y_train = x[HELD_OUT:], y[HELD_OUT:]
    params, curve = train(digits, x_train, y_train, console)
    console.print(f"loss before {curve[0]:.4f}, after {curve[-1]:.4f}")
    accuracy = float(np.mean(digits.forward(params, x[:HELD_OUT]).argmax(axis=1) == y[:HELD_OUT]))
    console.print(f"accuracy {accuracy:.3f}")

    console.print("\nthe derivative of the loss with respect to the logits:")
    console.print(symdiff("inspect", spec, "--wrt", "z", "--trace").rstrip(), markup=False)

    norms = digits.per_example_norms(params, x_train, y_train)
    q = digits.forward(params, x_train)
    hardest = np.argsort(-norms, kind="stable")[:10]
    console.print("\nthe ten training images with the largest gradient norm:")
    for row in hardest:
        console.print(
            f"  image {order[HELD_OUT + row]:4d}  a {y_train[row]} taken for a {q[row].argmax()}"
            if q[row].argmax() != y_train[row]
            else f"  image {order[HELD_OUT + row]:4d}  a {y_train[row]}, given {q[row].max():.0%}",
            f" norm {norms[row]:.3f}",
        )
    titles = [f"{y_train[row]}, norm {norms[row]:.2f}" for row in hardest]
    draw(out / "digits.png", x_train[hardest], titles, curve)
    console.print(f"\nsaved {out / 'digits.png'}")


if __name__ == "__main__":
    main()
