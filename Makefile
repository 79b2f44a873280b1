PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DOCS := $(VENV)/.docs
# An environment of its own, so that nothing else depends on what the benchmarks compare with.
PEERS := .venv-bench

.PHONY: demo test fast lint bench docs
demo: $(INSTALLED)
	$(BIN)/python cli.py sweep --config configs/digits.yaml

test: $(INSTALLED) lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# The tests for every change: about five minutes on two cores.
fast: $(INSTALLED) lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m 'not slow'

bench: $(PEERS)/.installed
	$(PEERS)/bin/python benchmarks/run.py

docs: $(DOCS)
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs build/docs
	@echo "Open build/docs/index.html"

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

$(INSTALLED): setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[tensorflow-cpu,test]'
	touch $@

$(DOCS): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	touch $@

$(PEERS)/.installed: setup.cfg pyproject.toml benchmarks/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --upgrade pip
	$(PEERS)/bin/python -m pip install --quiet --editable '.[tensorflow-cpu]' \
		--requirement benchmarks/requirements.txt
	touch $@
