# The verbs. Each sets up what it needs on a fresh machine, and sets it up anew when its constraints have changed.
# What a verb prints goes to standard output; what setting up says goes to standard error.

PYTHON ?= python3
CONTAINER_PYTHON ?= $(PYTHON)
ARGS ?=
# Of a choice of tests, each of the two runs may have none: pytest says so with 5.
CHOSEN = $(if $(ARGS),|| test $$? -eq 5)

VENV := .venv
CONTAINER := .venv-container
READY := $(VENV)/.ready
CONTAINER_READY := $(CONTAINER)/.ready

.DEFAULT_GOAL := help
.PHONY: help definition graph golden test test-definition test-container coverage check format clean run pipeline-upsert pipeline-start pipeline-status pipeline-schedule

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

definition: $(READY) ## print the pipeline's definition as JSON        ARGS="--account 123456789012 --output file.json"
	@$(VENV)/bin/pedigree definition $(ARGS)

graph: $(READY) ## draw the graph: docs/pipeline.svg and docs/pipeline.mmd
	@$(VENV)/bin/pedigree graph --output docs $(ARGS)

golden: $(READY) ## rewrite tests/golden/ from the settings; review it as a diff
	@$(VENV)/bin/python -m tests.golden

test: test-definition test-container ## run all tests

test-definition: $(READY) ## run the tests of all but the scripts         ARGS="-k settings"
	@$(VENV)/bin/python -m pytest $(ARGS) $(CHOSEN)

coverage: $(READY) ## run the tests and show the lines that none of them runs
	@$(VENV)/bin/python -m pytest --quiet --cov --cov-report=term-missing $(ARGS)

test-container: $(CONTAINER_READY) ## run the tests of the scripts, where they run
	@$(CONTAINER)/bin/python -m pytest -c tests/container/pytest.ini tests/container $(ARGS) $(CHOSEN)

check: $(READY) ## format, lint, types, imports, lengths, and what is wrong with the definition
	@$(VENV)/bin/ruff format --check --quiet . || { echo "format: run make format"; exit 1; }
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/mypy --config-file tests/container/mypy.ini
	@$(VENV)/bin/lint-imports --no-logo
	@$(VENV)/bin/python -m tests.lengths
	@$(VENV)/bin/pedigree check --fail-on warning --scripts entrypoints

format: $(READY) ## rewrite the code as make check wants it
	@$(VENV)/bin/ruff format --quiet .
	@$(VENV)/bin/ruff check --quiet --fix .

clean: ## remove the environments and every cache
	@rm -rf $(VENV) $(CONTAINER) $(VENV).lock $(CONTAINER).lock .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

run: ## (not yet) run the whole pipeline on this machine
pipeline-upsert: ## (not yet) put the pipeline into an AWS account
pipeline-start: ## (not yet) start an execution
pipeline-status: ## (not yet) show how executions are doing
pipeline-schedule: ## (not yet) start executions on a schedule

run pipeline-upsert pipeline-start pipeline-status pipeline-schedule:
	@echo "make $@: this verb is not built yet; make definition shows what AWS will get" >&2; exit 2

$(READY): constraints.txt setup.cfg pyproject.toml
	@$(PYTHON) set_up.py definition

$(CONTAINER_READY): constraints-container.txt
	@$(CONTAINER_PYTHON) set_up.py container
