# Every path is relative and quoted, so that a checkout may lie in a folder with a space in its name.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
ARGS ?=

# The first of these that really runs and is new enough (a name on PATH may be an empty shim).
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)

# A checkout that was moved or copied needs a new environment: scripts in it hold the old path.
ifneq ($(wildcard .venv/.venv),)
ifneq ($(shell cat .venv/.venv),$(CURDIR))
$(shell rm -f .venv/.venv .venv/.dev .venv/.claude .venv/.measure)
endif
endif

.PHONY: help setup claude measure forge demo test lint types contract check format bench bench-score lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile

setup: .venv/.dev ## install from the lock into .venv, nothing else
	@:

claude: .venv/.claude ## add the Claude Code client and its command line (large)
	@:

measure: .venv/.measure ## add the statistics libraries (for bench-score)
	@:

forge: forge/node_modules/.package-lock.json ## add the npm packages of the Forge app
	@:

demo: setup ## the whole story with a sandbox Jira and a rehearsal agent
	@$(BIN)/signalbox demo $(ARGS)

test: setup ## all tests on all cores
	@$(BIN)/python -m pytest -n $$(( $$(nproc) * 2 )) --dist worksteal $(ARGS)

lint: setup ## style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: setup ## put the style right
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: setup ## strict types
	@$(BIN)/mypy

contract: setup ## who may import whom
	@$(BIN)/lint-imports --no-logo

check: lint types contract ## every check that is no test

bench: setup ## the numbers, as ratios and distributions
	@$(BIN)/python -m bench $(ARGS)

bench-score: .venv/.measure ## judge the checklist on SHARED_DIR's labels, write docs/reference/score-quality.md
	@$(BIN)/python -m bench.score_quality $(ARGS)

clean: ## remove what setup and the tests made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.venv:
	@if [ -z "$(PYTHON)" ]; then echo "Signalbox needs Python 3.11 or newer; none was found (set PYTHON=/path/to/python3)." >&2; exit 1; fi
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Signalbox needs Python 3.11 or newer; $(PYTHON) is older or does not run." >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv." >&2; exit 1; }
	@echo "Making .venv with $$("$(PYTHON)" --version) ..." >&2
	@rm -rf .venv && "$(PYTHON)" -m venv .venv
	@printf '%s\n' "$(CURDIR)" > $@

# The project itself is linked in, not copied, without network: its builder comes from the lock.
.venv/.dev: requirements-dev.lock pyproject.toml | .venv/.venv
	@echo "Installing from requirements-dev.lock (the first time takes a minute or two) ..." >&2
	@$(PIP) install --require-hashes --no-deps --only-binary :all: -r requirements-dev.lock
	@$(PIP) install --no-index --no-deps --no-build-isolation --force-reinstall --editable .
	@touch $@

.venv/.claude: requirements-claude.lock | .venv/.dev
	@echo "Installing from requirements-claude.lock ..." >&2
	@$(PIP) install --require-hashes --no-deps --only-binary :all: -r requirements-claude.lock
	@touch $@

.venv/.measure: requirements-measure.lock | .venv/.dev
	@echo "Installing from requirements-measure.lock ..." >&2
	@$(PIP) install --require-hashes --no-deps --only-binary :all: -r requirements-measure.lock
	@touch $@

# Nothing of theirs runs at installing; what is installed is what the lock's hashes say.
forge/node_modules/.package-lock.json: forge/package-lock.json
	@npm ci --prefix forge --ignore-scripts --no-audit --no-fund --silent
	@touch $@

# Universal, hashed, without addresses. All files come from one resolution, so they always agree.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header pyproject.toml

lock: ## resolve again and write the lock files (needs uv; UPGRADE=--upgrade for newer versions)
	@command -v uv >/dev/null || { echo "make lock needs uv on PATH." >&2; exit 1; }
	@all=$$(mktemp -d) && trap 'rm -rf "$$all"' EXIT \
		&& sort -u requirements-dev.lock requirements-claude.lock requirements-measure.lock | sed -n 's/^\([a-z0-9.-]*==[^\\]*\).*/\1/p' > "$$all/old" \
		&& $(COMPILE) --all-extras --group dev $(if $(UPGRADE),,-c "$$all/old") -o "$$all/all.txt" >/dev/null \
		&& $(COMPILE) -c "$$all/all.txt" $(UPGRADE) -o requirements.lock >/dev/null \
		&& $(COMPILE) -c "$$all/all.txt" $(UPGRADE) --group dev -o requirements-dev.lock >/dev/null \
		&& $(COMPILE) -c "$$all/all.txt" $(UPGRADE) --extra claude -o requirements-claude.lock >/dev/null \
		&& $(COMPILE) -c "$$all/all.txt" $(UPGRADE) --extra measure -o requirements-measure.lock >/dev/null \
		&& $(COMPILE:pyproject.toml=) --group build -c "$$all/all.txt" $(UPGRADE) -o requirements-build.lock >/dev/null
	@wc -l requirements*.lock
