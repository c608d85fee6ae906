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
.PHONY: help demo web web-if-possible test realparts check types house imports lint layout page format dev docs compat bench schema requirements clean .venv .venv-demo .venv-compat .venv-diracx

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

web: .venv src/sancho/web/static/index.html ## Build the web page; it brings its own Node
	@cat web/dist.txt

# Tests that need the page say so when it could not be built, as without a way to npm's registry.
web-if-possible: .venv
	@$(MAKE) --no-print-directory --silent web || echo "The web page could not be built: tests of it will say so." >&2

demo: .venv .venv-demo ## Start a grid, run the demonstration on it, show what happened and stop it again
	@$(BIN)/sancho demo --python .venv-demo/bin/python --out demo

test: .venv .venv-demo .venv-compat web-if-possible ## Run the whole suite; T=tests/rules for a part, ARGS="-x" for pytest's own options
	@$(BIN)/pytest $(ARGS) $(T)

realparts: .venv .venv-demo .venv-compat web-if-possible ## Run only the tests with real components; as root, missing Debian packages are installed
	@$(BIN)/pytest $(ARGS) -m realparts

check: .venv web/node_modules/.ready ## Format, lint, types, imports, limits: what must be clean before a change lands
	@MAKEFLAGS= $(MAKE) --no-print-directory --keep-going --output-sync=target types house imports lint layout page || { printf '\nmake check: not clean\n' >&2; exit 1; }

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

page: web/src/api/schema.d.ts ## Look at the code of the web page: linter, types, its own tests
	$(NPM) run --silent check
	$(NPM) run --silent test

format: .venv web/node_modules/.ready ## Format the code and repair what the linter can repair
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(NPM) run --silent format

dev: .venv web ## A grid in the foreground until Ctrl-C; its programs start again when the code changes
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
	$(COMPILE) --upgrade requirements/web.in --output-file requirements/web.txt
	@! grep -nE '^ *-|://' requirements/*.txt | grep -vE ' --hash=| # '

clean: ## Remove what these commands have made here
	rm -rf .venv .venv-demo .venv-compat .venv-diracx .venv-web web/node_modules web/dist.txt web/openapi.json web/src/api/schema.d.ts web/src/jobs/fields.ts src/sancho/web/static demo bench/out build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests bench web -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

.venv: .venv/.ready
.venv-demo: .venv-demo/.ready
.venv-compat: .venv-compat/.ready
.venv-diracx: .venv-diracx/.ready
.venv-web: .venv-web/.ready

# Node is a package like any other, so a machine needs none of its own. Scripts of packages are not run.
NPM := PATH="$(CURDIR)/.venv-web/bin:$$PATH" npm --prefix web
WEB_SOURCES := $(shell find web \( -name node_modules -o -name __pycache__ \) -prune -o -type f ! -name dist.txt ! -name openapi.json ! -name schema.d.ts ! -name fields.ts -print)

web/node_modules/.ready: web/package-lock.json web/package.json web/.npmrc .venv-web/.ready
	@echo "Installing the packages of the web page ..."
	@$(NPM) ci --silent --ignore-scripts
	@touch $@

# Written only when it is other than before: most changes of the server change no route.
web/openapi.json: .venv/.ready $(shell find src/sancho -name '*.py' -path '*api*') src/sancho/app.py
	@$(BIN)/python -m docs.openapi > $@.new
	@cmp -s $@ $@.new && rm $@.new || mv $@.new $@

web/src/api/schema.d.ts: web/openapi.json web/node_modules/.ready
	@$(NPM) run --silent types

src/sancho/web/static/index.html: $(WEB_SOURCES) web/src/api/schema.d.ts
	@$(NPM) run --silent build > web/dist.txt || { cat web/dist.txt >&2; exit 1; }

.venv/.ready: requirements/dev.txt requirements/uv.txt requirements/venv.sh pyproject.toml
	@sh requirements/venv.sh $(PYTHON) .venv requirements/dev.txt
	@touch $@

.venv-demo/.ready: requirements/demo.txt requirements/uv.txt requirements/venv.sh | .venv/.ready
	@sh requirements/venv.sh $(PYTHON) .venv-demo requirements/demo.txt
	@touch $@

.venv-compat/.ready: requirements/compat.txt requirements/uv.txt requirements/venv.sh | .venv/.ready
	@sh requirements/venv.sh $(PYTHON) .venv-compat requirements/compat.txt
	@touch $@

.venv-web/.ready: requirements/web.txt requirements/uv.txt requirements/venv.sh | .venv/.ready
	@sh requirements/venv.sh $(PYTHON) .venv-web requirements/web.txt
	@touch $@

.venv-diracx/.ready: requirements/diracx.txt requirements/uv.txt requirements/venv.sh | .venv/.ready
	@sh requirements/venv.sh $(PYTHON) .venv-diracx requirements/diracx.txt
	@touch $@
