# Everything a newcomer needs: Python 3.11 or later, make, and a package registry.
.DEFAULT_GOAL := help
.PHONY: help install run dev test check style types unit bench openapi lock clean

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
BY_FILE := --dist loadfile --no-loadscope-reorder  # modules make what they need once; unit tests, all short, come last
export CONCORDAT_CACHE_DIR ?= $(CURDIR)/.cache
export PYTHONDONTWRITEBYTECODE :=  # the asserts of 500 test modules would be rewritten anew in every run

help: ## what there is to do
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/\1|\2/' | awk -F'|' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(READY) ## .venv with everything, development tools included

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Concordat needs Python 3.11 or later; set PYTHON=python3.x")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q libs services  # the first start is as fast as the next, wherever bytecode is not written
	@touch $@

run: $(READY) ## everything in one process, nothing else needed (concordat serve)
	@exec $(BIN)/concordat serve

dev: $(READY) ## every role as a process on a real PostgreSQL and a real Kafka; one Ctrl-C ends all
	@exec $(BIN)/python -m deploy.local.dev

check: $(READY) ## format, lint, types, architecture, unit tests: a minute and a half
	@$(MAKE) --no-print-directory --jobs 3 style types unit

style:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types:
	$(BIN)/basedpyright

unit:
	$(BIN)/python -m pytest -q -n 2 $(BY_FILE) -p no:schemathesis --hypothesis-profile sampled tests/architecture tests/unit

test: $(READY) ## every test, on memory, SQLite, a real PostgreSQL, Kafka and Prometheus
	$(BIN)/python -m pytest -n 3 $(BY_FILE) --ignore tests/benchmarks tests

bench: $(READY) ## the speed table, as ratios against references of the same run (QUICK=1: under 3 minutes)
	$(BIN)/python -m tests.benchmarks $(if $(QUICK),--quick)

openapi: $(READY) ## the committed OpenAPI documents, made anew from the routes
	$(BIN)/python -m services.cli.openapi_sync

lock: $(READY) ## requirements-dev.txt from pyproject.toml, with hashes
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header --no-emit-index-url \
	  --extra dev pyproject.toml --output-file requirements-dev.txt

clean: ## remove what the other targets made (data in .dev and .concordat too)
	rm -rf .venv .dev .concordat .cache build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
