# Sancho: `make` alone lists what can be said here.

PYTHON ?= python3
SIZE ?= small
T ?= tests
# pytest's own options, for example: make test T=tests/rules ARGS="-x -k settles". Three for each of two cores:
# tests wait for programs much of their time.
ARGS ?= -n 6

BIN := .venv/bin
MAKEFLAGS += --jobs=2 # two environments are made at once
# Else each of the hundreds of programs that tests start compiles all of Sancho first.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test realparts check types house imports lint layout format dev docs compat bench schema requirements clean .venv .venv-demo .venv-compat .venv-diracx

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv .venv-demo ## Start a grid, run the demonstration on it, show what happened and stop it again
	@$(BIN)/sancho demo --python .venv-demo/bin/python --out demo

test: .venv .venv-demo .venv-compat ## Run the whole suite; T=tests/rules for a part, ARGS="-x" for pytest's own options
	@$(BIN)/pytest $(ARGS) $(T)

realparts: .venv .venv-demo .venv-compat ## Run only the tests with real components; as root, missing Debian packages are installed
	@$(BIN)/pytest $(ARGS) -m realparts

check: .venv ## Format, lint, types, imports, limits: what must be clean before a change lands
	@MAKEFLAGS= $(MAKE) --no-print-directory --keep-going --output-sync=target types house imports lint layout || { printf '\nmake check: not clean\n' >&2; exit 1; }

types:
	$(BIN)/basedpyright
house:
	$(BIN)/pytest -q --noconftest tests/architecture
imports:
	$(BIN)/lint-imports --no-logo
lint:
	$(BIN)/ruff check --output-format concise
layout:
	$(BIN)/ruff format --check --output-format concise

format: .venv ## Format the code and repair what the linter can repair
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

dev: .venv ## A grid in the foreground until Ctrl-C; its programs start again when the code changes
	@$(BIN)/sancho dev

docs: .venv ## Generate the reference pages, and the pilot's protocol, from the code
	@$(BIN)/python -m docs.generate

compat: .venv .venv-compat ## Print how much of Rucio's client is served: its methods, and the verbs of `rucio`
	@$(BIN)/python -m docs.compat

bench: .venv .venv-compat ## Measure beside the raw limit of this machine; SIZE=small (default) or large
	@$(BIN)/python -m bench --size $(SIZE)

schema: .venv ## Write schema.sql anew from the migrations
	@$(BIN)/python -m sancho.local.schema > schema.sql.new && mv schema.sql.new schema.sql

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-config \
	--no-emit-find-links --custom-compile-command 'make requirements'

requirements: .venv ## Pin the newest releases that pyproject.toml and requirements/*.in allow
	$(COMPILE) --upgrade --extra server pyproject.toml requirements/dev.in --output-file requirements/dev.txt
	$(COMPILE) --extra server pyproject.toml --constraints requirements/dev.txt --output-file requirements/server.txt
	$(COMPILE) requirements/uv.in --constraints requirements/dev.txt --output-file requirements/uv.txt
	$(COMPILE) --upgrade requirements/demo.in --output-file requirements/demo.txt
	$(COMPILE) --upgrade requirements/compat.in --output-file requirements/compat.txt
	$(COMPILE) --upgrade requirements/diracx.in --output-file requirements/diracx.txt
	@! grep -nE '^ *-|://' requirements/*.txt | grep -vE ' --hash=| # '

clean: ## Remove what these commands have made here
	rm -rf .venv .venv-demo .venv-compat .venv-diracx demo bench/out build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests bench -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

.venv: .venv/.ready
.venv-demo: .venv-demo/.ready
.venv-compat: .venv-compat/.ready
.venv-diracx: .venv-diracx/.ready

.venv/.ready: requirements/dev.txt requirements/uv.txt requirements/venv.sh pyproject.toml
	@sh requirements/venv.sh $(PYTHON) .venv requirements/dev.txt
	@touch $@

.venv-demo/.ready: requirements/demo.txt requirements/uv.txt requirements/venv.sh
	@sh requirements/venv.sh $(PYTHON) .venv-demo requirements/demo.txt
	@touch $@

.venv-compat/.ready: requirements/compat.txt requirements/uv.txt requirements/venv.sh
	@sh requirements/venv.sh $(PYTHON) .venv-compat requirements/compat.txt
	@touch $@

.venv-diracx/.ready: requirements/diracx.txt requirements/uv.txt requirements/venv.sh
	@sh requirements/venv.sh $(PYTHON) .venv-diracx requirements/diracx.txt
	@touch $@
