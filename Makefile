# Every target installs what it needs first: a fresh clone wants Python 3.11 (with venv) and make.
# ARGS is handed to the command behind the target: make demo ARGS="--once --json".
.DEFAULT_GOAL := help
.SUFFIXES:
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
ARGS ?=
M ?=
NAME ?=
PLACE ?=

# Programs are started as "python -m": that works in a clone that was moved, console scripts would not.
UV := $(VENV)/bin/uv
LINT_IMPORTS := from importlinter.cli import lint_imports_command as run; run()
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-emit-index-url

.PHONY: help demo test check fix docs bench soak migration new-provider record-history lock clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.dev ## start everything, connect a sandbox shop, import it, keep serving until Ctrl-C
	@exec $(PY) -m runtime.cli demo $(ARGS)

test: $(VENV)/.dev ## run the tests against real PostgreSQL and Temporal (ARGS="-k name")
	@exec $(PY) -m pytest -n 2 $(ARGS)

check: $(VENV)/.dev ## static checks: format, lint, types, layers, shape
	@status=0; run() { echo "$$1"; shift; "$$@" || status=1; }; \
	run "format (make fix repairs it)" $(PY) -m ruff format --check --quiet --output-format concise .; \
	run "lint" $(PY) -m ruff check --quiet --output-format concise .; \
	run "types" $(PY) -m mypy --no-error-summary; \
	run "layers" $(PY) -c '$(LINT_IMPORTS)' --no-logo; \
	run "shape" $(PY) scripts/check_shape.py; \
	exit $$status

fix: $(VENV)/.dev ## format, and repair what the linter can repair
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format --quiet .

docs: $(VENV)/.dev ## write the API reference from the API
	@exec $(PY) scripts/api_reference.py

bench: $(VENV)/.bench ## measure (ARGS="import" picks one); writes bench/results.json
	@exec $(PY) -m bench $(ARGS)

soak: $(VENV)/.dev ## the long tests: 100 kills of imports, 100 in storms, 200,000 records
	@exec $(PY) -m pytest -n 0 -m soak $(ARGS)

migration: $(VENV)/.dev ## draft a database migration (M="what it does")
	@test -n "$(M)" || { echo 'say what it does: make migration M="add reviews"' >&2; exit 2; }
	@exec $(PY) -m runtime.draft "$(M)"

new-provider: $(VENV)/.dev ## write a small provider to start from (NAME=my_shop, PLACE=folder)
	@test -n "$(NAME)" || { echo 'name it: make new-provider NAME=my_shop' >&2; exit 2; }
	@exec $(PY) scripts/new_provider.py "$(NAME)" $(if $(PLACE),--place "$(PLACE)")

record-history: $(VENV)/.dev ## record the workflow histories that the replay tests read (ARGS="demands")
	@exec $(PY) -m tests.replay.record $(ARGS)

lock: $(VENV)/.bootstrap ## resolve the dependencies of pyproject.toml again (ARGS="--upgrade")
	@$(COMPILE) $(ARGS) requirements/bootstrap.in -o requirements/bootstrap.lock
	@$(COMPILE) $(ARGS) pyproject.toml --extra embedded --extra dev --extra bench -o requirements/bench.lock
	@$(COMPILE) $(ARGS) pyproject.toml --extra embedded --extra dev -c requirements/bench.lock -o requirements/dev.lock
	@$(COMPILE) $(ARGS) pyproject.toml -c requirements/bench.lock -o requirements/runtime.lock

clean: ## remove the environment and the caches, never data
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# Installation talks to stderr only: the stdout of "make -s demo ARGS='--once --json'" is JSON.
$(VENV)/.bootstrap: requirements/bootstrap.lock
	@sh scripts/install.sh bootstrap >&2

$(VENV)/.dev: $(VENV)/.bootstrap requirements/dev.lock pyproject.toml
	@sh scripts/install.sh dev >&2

$(VENV)/.bench: $(VENV)/.dev requirements/bench.lock
	@sh scripts/install.sh bench >&2
