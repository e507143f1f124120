# The verbs. Each sets up what it needs on a fresh machine, and sets it up anew when its lists in requirements/ have changed.
# What a verb prints goes to standard output; what setting up says goes to standard error.

PYTHON ?= python3
CONTAINER_PYTHON ?= $(PYTHON)
ARGS ?=
# In how many processes the tests run; 0 is this one. The scripts' compute in one thread each: more would wait for cores.
PROCESSES ?= auto
# Of a choice of tests, each of the two runs may have none: pytest says so with 5.
CHOSEN = $(if $(ARGS),|| test $$? -eq 5)

VENV := .venv
CONTAINER := .venv-container
READY := $(VENV)/.ready
CONTAINER_READY := $(CONTAINER)/.ready
# Tests and checks have packages of their own, which the other verbs do without.
TESTS_READY := $(VENV)/.ready-tests
CONTAINER_TESTS_READY := $(CONTAINER)/.ready-tests

# A variable that is written wrong would be left out without a word.
VARIABLES := ARGS DATA IMAGE LOCAL PARAMS PROCESSES URL VERSION PYTHON CONTAINER_PYTHON VENV CONTAINER
GIVEN := $(foreach name,$(.VARIABLES),$(if $(findstring command line,$(origin $(name))),$(name)))
UNKNOWN := $(firstword $(filter-out $(VARIABLES) MAKEFLAGS,$(GIVEN)))
NEAREST = import difflib, sys; \
	print(*difflib.get_close_matches(sys.argv[1].upper(), sys.argv[2:], 1, 0.5) or ["one of " + ", ".join(sys.argv[2:])])
ifneq ($(UNKNOWN),)
$(error $(UNKNOWN) is no variable of this Makefile; write $(shell $(PYTHON) -c '$(NEAREST)' $(UNKNOWN) $(VARIABLES)))
endif

# LOCAL=1 after a verb sends it to the local AWS, which is started if it does not run, and needs what jobs run in.
ifneq ($(LOCAL),)
ifneq ($(LOCAL),1)
$(error LOCAL=$(LOCAL) is unclear; write LOCAL=1 for the local AWS, or leave it out for an account)
endif
# Without the address of a local AWS, every verb refuses to go on.
export PEDIGREE_LOCAL := 1
endif
AT = $(if $(LOCAL),at="$$($(VENV)/bin/pedigree local up)" && eval "$$at" && )
NEEDED = $(READY) $(if $(LOCAL),$(CONTAINER_READY))

.DEFAULT_GOAL := help
.PHONY: help definition graph golden permissions test test-whole test-definition test-container coverage check format clean run up down status reset logs results pipeline-upsert destroy policies pipeline-start pipeline-status pipeline-logs pipeline-schedule cost pipeline-stop pipeline-retry pipeline-executions predict approve rollback endpoint-status ec2-train

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { split($$2, part, /   +/); printf "  make %-20s %s\n", $$1, part[1]; \
		if (part[2]) printf "%28s%s\n", "", part[2] }' $(MAKEFILE_LIST)

definition: $(READY) ## print the pipeline's definition as JSON        ARGS="--account 123456789012 --output a.json"
	@$(VENV)/bin/pedigree definition $(ARGS)

graph: $(READY) ## draw docs/pipeline.svg and docs/pipeline.mmd
	@$(VENV)/bin/pedigree graph --output docs $(ARGS)

golden: $(TESTS_READY) ## rewrite tests/golden/; review it as a diff
	@$(VENV)/bin/python -m tests.golden

permissions: $(TESTS_READY) ## write docs/permissions.md, by taking each away
	@$(VENV)/bin/python -m tests.proof

test: test-definition test-container test-whole ## run all tests

test-definition: $(TESTS_READY) ## run the tests of all but the scripts         ARGS="-k settings"
	@$(VENV)/bin/python -m pytest --numprocesses $(PROCESSES) --dist loadscope $(ARGS) $(CHOSEN)

coverage: $(TESTS_READY) ## run the tests and show the lines that none runs
	@$(VENV)/bin/python -m pytest --quiet --cov --cov-report=term-missing $(ARGS)

test-container: $(CONTAINER_TESTS_READY) ## run the tests of the scripts, where they run
	@OMP_NUM_THREADS=1 $(CONTAINER)/bin/python -m pytest -c tests/container/pytest.ini --numprocesses $(PROCESSES) --dist loadscope \
		tests/container $(ARGS) $(CHOSEN)

test-whole: $(TESTS_READY) $(CONTAINER_READY) ## run the tests of make run and of clients, long
	@$(VENV)/bin/python -m pytest --numprocesses $(PROCESSES) --dist loadscope tests/whole $(ARGS) $(CHOSEN)

check: $(TESTS_READY) ## format, lint, types, imports, lengths, definition
	@$(VENV)/bin/ruff format --check --quiet . || { echo "format: run make format"; exit 1; }
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/mypy --config-file tests/container/mypy.ini
	@$(VENV)/bin/lint-imports --no-logo
	@$(VENV)/bin/python -m tests.lengths
	@$(VENV)/bin/pedigree check --fail-on warning --scripts entrypoints

format: $(TESTS_READY) ## rewrite the code as make check wants it
	@$(VENV)/bin/ruff format --quiet .
	@$(VENV)/bin/ruff check --quiet --fix .

clean: ## remove the environments and every cache
	@rm -rf $(VENV) $(CONTAINER) $(VENV).lock $(CONTAINER).lock .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage *.egg-info pipeline/*.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

pipeline-upsert: $(NEEDED) ## put the pipeline into an AWS account              ARGS="--dry-run"
	@$(AT)$(VENV)/bin/pedigree upsert $(ARGS)

destroy: $(NEEDED) ## remove all of it from the AWS account            ARGS="--dry-run --data"
	@$(AT)$(VENV)/bin/pedigree destroy $(ARGS)

policies: $(READY) ## write who may do what, to a folder                ARGS="folder --account 123456789012"
	@$(VENV)/bin/pedigree policies $(ARGS)

pipeline-schedule: $(NEEDED) ## start executions on a schedule                ARGS=show, pause, resume or remove
	@$(AT)$(VENV)/bin/pedigree schedule $(if $(filter-out -%,$(firstword $(ARGS))),,make) $(ARGS)

cost: $(NEEDED) ## estimate what an execution and a month cost      ARGS="--hours Tune=2 --refresh"
	@$(AT)$(VENV)/bin/pedigree cost $(ARGS)

pipeline-start: $(NEEDED) ## start an execution, or some of its steps        PARAMS=Epochs=10 DATA=~/pictures ARGS=--wait
	@$(AT)set -f; $(VENV)/bin/pedigree start $$PARAMS $${DATA:+--data "$$DATA"} $(ARGS)

pipeline-status: $(NEEDED) ## follow an execution, the newest one          ARGS="8f3a --once"
	@$(AT)$(VENV)/bin/pedigree status $(ARGS)

pipeline-logs: $(NEEDED) ## print what the steps of an execution log     ARGS="Tune --follow"
	@$(AT)$(VENV)/bin/pedigree logs $(ARGS)

pipeline-stop: $(NEEDED) ## stop an execution, the newest one            ARGS=8f3a
	@$(AT)$(VENV)/bin/pedigree stop $(ARGS)

pipeline-retry: $(NEEDED) ## go on with an execution that failed          ARGS=8f3a
	@$(AT)$(VENV)/bin/pedigree retry $(ARGS)

pipeline-executions: $(NEEDED) ## list the last executions                ARGS="--count 50"
	@$(AT)$(VENV)/bin/pedigree executions $(ARGS)

predict: $(NEEDED) ## say what is on a picture                       IMAGE=dog.jpg or URL=https://…
	@$(AT)$(VENV)/bin/pedigree predict $${IMAGE:+--image "$$IMAGE"} $${URL:+--url "$$URL"} $(ARGS)

approve: $(NEEDED) ## approve a version of the model, or list them   VERSION=3
	@$(AT)$(VENV)/bin/pedigree approve $$VERSION $(ARGS)

rollback: $(NEEDED) ## take the endpoint back to what it had before
	@$(AT)$(VENV)/bin/pedigree rollback $(ARGS)

endpoint-status: $(NEEDED) ## show the endpoint: versions, instances, alarms
	@$(AT)$(VENV)/bin/pedigree endpoint-status $(ARGS)

ec2-train: $(NEEDED) ## train on one machine of EC2, which ends itself   ARGS=--dry-run
	@$(AT)$(VENV)/bin/pedigree ec2-train $(ARGS)

results: $(NEEDED) ## say what an execution has come to               ARGS=8f3a
	@$(AT)$(VENV)/bin/pedigree results $(ARGS)

run: $(READY) $(CONTAINER_READY) ## run the whole pipeline on this machine, no account   DATA=~/pictures ARGS=--fresh
	@$(VENV)/bin/pedigree run --container $(CONTAINER) $${DATA:+--data "$$DATA"} $(ARGS)

up: ## start the local AWS, unless it runs
down: ## end the local AWS; make up goes on from there
status: ## say where the local AWS is
logs: ## read what the local AWS has said                 ARGS=--follow
reset: ## forget what the local AWS knows                   ARGS=--yes
up: $(CONTAINER_READY)
up down status logs reset: $(READY)
	@$(VENV)/bin/pedigree local $@ $(ARGS)

# Two environments that one call needs are set up at the same time.
BOTH = $(if $(LOCAL)$(filter run up test test-whole,$(MAKECMDGOALS)),container=$(CONTAINER_PYTHON))

$(READY): requirements/pip.txt requirements/definition.txt setup.cfg pyproject.toml pipeline/pyproject.toml
	@$(PYTHON) set_up.py definition $(BOTH)

$(CONTAINER_READY): requirements/pip.txt requirements/torch.txt requirements/container.txt
	@$(PYTHON) set_up.py container=$(CONTAINER_PYTHON)

$(TESTS_READY): $(READY) requirements/definition-tests.txt
	@$(PYTHON) set_up.py definition-tests

$(CONTAINER_TESTS_READY): $(CONTAINER_READY) requirements/container-tests.txt
	@$(PYTHON) set_up.py container-tests=$(CONTAINER_PYTHON)
