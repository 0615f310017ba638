# One command each; everything lives in .venv (Python) and .node (Node, where the machine has none).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= $(LINGYUN_DATA)
# an accelerator build of torch brings gigabytes; this very version has a CPU build
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run setup test test-slow check clean

run: $(VENV)/.core page ## the demo home on http://127.0.0.1:8000
	$(BIN)/lingyun serve --demo

setup: $(VENV)/.dev page ## all that tests and checks need

test: setup
	$(BIN)/pytest -m "not slow"

test-slow: setup
	$(BIN)/pytest -m slow

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml | $(BIN)/python
	$(PIP) --editable .
	touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[train,science,energyplus,dev]'
	touch $@ $(VENV)/.core

page: $(VENV)/.core ## the dashboard, built into lingyun/page
	PYTHON="$(PYTHON)" sh dashboard/build.sh
.PHONY: page

clean:
	rm -rf $(VENV) .node lingyun/page dashboard/node_modules
