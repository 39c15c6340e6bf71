# `make demo` and `make test` are all that a newcomer needs; each makes .venv itself.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check
STAMP := $(VENV)/.installed
RUNS := $(VENV)/.runs

# Tests start a hundred programs: to compile each anew takes longer than what they do.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo demo-traffic sandbox test test-slow bench soak soak-virtual fuzz fuzz-codec man venv lock docs schemas format clean

demo: install
	$(BIN)/autoscaler demo

# Needs HAProxy, and says how to install it.
demo-traffic: install
	$(BIN)/autoscaler demo --traffic

# Answers at 127.0.0.1:11025 until Ctrl-C, and says what to type next.
sandbox: install
	@$(BIN)/albatrossctl sandbox --example --directory sandbox --port 11025

# One more than there are cores: many tests wait for programs that they have begun.
WORKERS = $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

test: venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --numprocesses $(WORKERS) --cov --cov-report=term

test-slow: venv
	$(BIN)/pytest -m slow -rs

bench: venv
	$(BIN)/python -m tests.benchmarks

# FUZZ_SECONDS for each target, one minute if it isn't set.
fuzz: venv
	@$(BIN)/python -c 'import atheris' 2>/dev/null \
	  || $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.lock \
	  || { echo "atheris can't be installed here (it has wheels for Linux on x86-64): nothing was fuzzed"; exit 1; }
	$(BIN)/python -m tests.fuzz

# Ten minutes, or SOAK_SECONDS.
soak: venv
	$(BIN)/python -m tests.soak_real

# SOAK="--days 1 --seed 7" for another one; the hash seed repeats a run exactly.
soak-virtual: venv
	PYTHONHASHSEED=0 $(BIN)/python -m tests.soak_virtual $(SOAK)

# Manual pages in man/, from what `--help` says; `man -l man/autoscaler.1` shows one.
man: venv
	$(BIN)/python -m autoscaler.cli.manual man

fuzz-codec: venv
	$(BIN)/python -m tests.fuzz_codec

# All that the daemon needs to run, and nothing more.
install: $(RUNS)

# Beside that, all that its tests need.
venv: $(STAMP)

$(RUNS): requirements-run.lock pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes -r requirements-run.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(STAMP): requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@ $(RUNS)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Python 3.11 to 3.13 is needed; $$($(PYTHON) --version) is what PYTHON=$(PYTHON) names"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { echo "Python lacks the venv module; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Pins every package with its hashes, for all supported Pythons.
lock: venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --group dev \
	  --no-strip-extras --generate-hashes --no-header --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --group build \
	  --constraints requirements.lock \
	  --generate-hashes --no-header --output-file requirements-run.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --group fuzz \
	  --generate-hashes --no-header --output-file requirements-fuzz.lock

# The pages that are made from the code.
docs: venv
	$(BIN)/python -m autoscaler.shell.event_pages

# What editors complete configurations by, and what programs are told.
schemas: venv
	$(BIN)/python -m autoscaler.shell.configuration.schema config/example.toml > config/schema/autoscaler.schema.json.new
	mv config/schema/autoscaler.schema.json.new config/schema/autoscaler.schema.json
	$(BIN)/python -m autoscaler.shell.operators.schemas config/schema

format: venv
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV)
