# All set-up is here: each target makes .venv and installs what it needs, again only when pyproject.toml changes.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test bench lint clean

demo: .venv/installed-examples
	$(BIN)/python examples/demo.py

# Two processes on two cores: threads of BLAS in each would wait for each other.
test: .venv/installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

bench: .venv/installed-test
	$(BIN)/python -m tests.benchmarks

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf .venv

$(BIN)/python:
	$(PYTHON) -m venv .venv

.venv/installed-%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	touch $@
