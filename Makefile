PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test lint bench
demo: $(INSTALLED)
	$(BIN)/python cli.py sweep --config configs/digits.yaml

test: $(INSTALLED) lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

bench: $(INSTALLED)
	$(BIN)/python benchmarks/recording.py
	$(BIN)/python benchmarks/passes.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/all_scores.py

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

$(INSTALLED): setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[tensorflow-cpu,test]'
	touch $@
