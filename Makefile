# The four verbs, the same for a person and for CI. ARGS passes options on: make run ARGS="--preset coffee"
.PHONY: run collect test check setup clean
.DEFAULT_GOAL := run
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PAGE := collection_pipeline/feed/page
# Debian ships venv without ensurepip, so the environment is made bare and filled from outside.
PIP := $(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check --quiet

run: $(VENV)/.ready  ## Set up, start everything, collect a small preset, stay up until Ctrl-C.
	@exec $(BIN)/collection-pipeline up --collect $(ARGS)

collect: $(VENV)/.ready  ## Set up, start everything, collect, wait, stop everything; exits 0 only if the collection completed.
	@exec $(BIN)/collection-pipeline up --collect --stop-after $(ARGS)

test: $(VENV)/.ready-dev  ## Set up and run the whole test suite, three at a time; or with ARGS exactly what they ask for.
ifdef ARGS
	@$(BIN)/python -m pytest $(ARGS)
else
	@$(BIN)/python -m pytest -n 3 --dist loadgroup -m "not alone"
	@$(BIN)/python -m pytest -m alone
endif

check: $(VENV)/.ready-dev  ## Lint, format, types (also of the page), import contracts, Dagster definitions.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@DENO_DIR=$(VENV)/deno $(BIN)/deno lint --quiet $(PAGE)
	@DENO_DIR=$(VENV)/deno $(BIN)/deno check --quiet $(PAGE)/*.js $(PAGE)/*/*.js
	@$(BIN)/dagster definitions validate -w workspace.yaml

setup: $(VENV)/.ready

$(BIN)/python:
	@$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/.ready: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing dependencies into $(VENV) …"
	@$(PIP) install --no-deps --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock $(VENV)/.ready
	@echo "Installing development dependencies into $(VENV) …"
	@$(PIP) install --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

clean:  ## Remove the environment. The data in .collection/ stays.
	@rm -rf $(VENV)
