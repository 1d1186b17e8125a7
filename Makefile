# Everything a person or the CI does here; `make` alone lists it. Needs bash, GNU make and Python 3.11+ with venv, nothing else.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
# Newer than the lock and pyproject.toml when the venv holds what they say.
STAMP := $(VENV)/.installed

##@ Run
.PHONY: demo up
demo: setup ## The whole way with made-up data, nothing else needed; ARGS=--exit ends by itself
	@$(BIN)/recman-unimicro demo $(ARGS)

up: setup ## The service itself: Postgres (embedded without DATABASE_URL), migrations, API and worker
	@$(BIN)/recman-unimicro up $(ARGS)

##@ Work on it
.PHONY: setup test everything pgbouncer api-check lint check format bench openapi lock clean help
setup: $(STAMP) ## Make .venv as requirements.lock says; done again only when that or pyproject.toml changed

# Compiled once instead of by every process of every test, whatever the shell says.
test lint check everything: export PYTHONDONTWRITEBYTECODE :=
test: lint ## Format, lint, types, imports, then all tests; ARGS go to pytest
	$(BIN)/python -m pytest -n 4 --dist load --maxschedchunk 2 --hypothesis-profile whole $(ARGS)

# The flows and crashes with a pooler in transaction mode before every world; some minutes. Without the program it fails.
pgbouncer: export TEST_POOLED := 1
pgbouncer: setup ## Tests of engine and flows through PgBouncer, which must be on this machine
	@PATH="$$PATH:/usr/sbin" command -v pgbouncer >/dev/null \
		|| { echo "PgBouncer is not on this machine: apt-get install pgbouncer" >&2; exit 1; }
	$(BIN)/python -m pytest -n 2 --dist load --maxschedchunk 2 tests/flows tests/chaos $(ARGS)

everything: export EVERYTHING := 1
everything: lint ## All tests, with every boundary, storm and booking that `make test` takes by thirds, each day another one
	$(BIN)/python -m pytest -n 4 --dist load --maxschedchunk 2 --hypothesis-profile whole $(ARGS)

# Installs redocly, spectral and two client generators into .api-check; needs Node.js, which nothing else does.
api-check: export API_CHECK := 1
api-check: setup ## The API by machine, whole: every operation with four roles, two linters, two generated clients
	@tests/clients/check
	$(BIN)/python -m pytest -q --show-capture=no --tb=short tests/contract/test_api_conforms.py

lint: setup ## Format, lint, types, imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint ## The quick part: format, lint, types, imports, the tests that start nothing
	$(BIN)/python -m pytest -q tests/unit tests/rooms tests/house

format: setup ## Format, and mend what ruff can mend by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## Speed, as ratios measured on this machine
	@$(BIN)/python -m tests.bench $(ARGS)

openapi: setup ## Write openapi/openapi.json again
	@$(BIN)/recman-unimicro openapi --write

lock: setup ## Write requirements.lock again; ARGS=--upgrade takes newer versions
	@CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile pyproject.toml --output-file requirements.lock \
		--extra embedded --extra dev --build-deps-for editable --generate-hashes --strip-extras --allow-unsafe --no-annotate --quiet \
		--no-emit-options --no-emit-index-url --no-emit-trusted-host --no-emit-find-links $(ARGS)
	@if grep -nE '://|^-' requirements.lock; then echo "requirements.lock names an address or an option" >&2; exit 1; fi
	@echo "requirements.lock: $$(grep -c == requirements.lock) packages"

clean: ## Remove .venv and caches; data in .data stay
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	@find app migrations tests -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## This list
	@awk 'BEGIN { FS = ":.*## "; print "make <target> [ARGS=…] [PYTHON=python3.12]" } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null \
		|| { echo "'$(PYTHON)' is not installed: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$(PYTHON) has no venv module: on Debian and Ubuntu run apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing into $(VENV): a minute or so, once"
	@$(BIN)/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)
