# The developer's interface: `make` lists the targets.
SHELL := /bin/sh
VENV ?= .venv
BIN := $(VENV)/bin
HAND := agents client codegen simulator studio tests benchmarks examples docs noxfile.py
# The first interpreter that runs and is new enough; override with `make PYTHON=...`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

# Tests start hundreds of processes; each would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-cluster generate check test test-long fmt lint types audit drift docs wheels bench pictures clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## make the virtual environment with everything in it

$(VENV)/.ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it with: make PYTHON=/path/to/python"; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@# pip compiles what it copies, not what it links to; else every process of the first run compiles the same modules.
	@$(BIN)/python -m compileall -q agents client codegen generated simulator studio
	@touch $@

demo: setup ## show the main job: an API page becomes a client, a job, a picture
	@$(BIN)/python examples/demo/demo.py

demo-cluster: setup ## show a batch over several workers: PostgreSQL, three workers, one of them killed
	@$(BIN)/python -m examples.cluster.demo

generate: setup ## render schemas/ into generated/runcomfy and docs/models.md
	@$(BIN)/runcomfy-codegen generate
	@$(BIN)/runcomfy-codegen reference --list docs/models.md

test: setup ## run the tests (minutes)
	@$(BIN)/python -m pytest -n 4 --dist worksteal -q -m "not long"

test-long: setup ## run the long tests too: fuzz, kills, soak
	@$(BIN)/python -m pytest -n 4 --dist worksteal -q

check: lint types drift audit test ## everything that must pass before a commit

lint: setup ## check format and lint
	@$(BIN)/black --check --quiet $(HAND)
	@$(BIN)/ruff check $(HAND)

types: setup ## mypy --strict on all code, pyright on the generated code
	@$(BIN)/mypy $(HAND)
	@$(BIN)/mypy -p runcomfy
	@$(BIN)/pyright

audit: setup ## are there known vulnerabilities in what is installed? (says so where the data cannot be had)
	@$(BIN)/pip-audit --skip-editable --progress-spinner off || { test $$? -ne 1; }

drift: setup ## is generated/ what schemas/ say?
	@$(BIN)/runcomfy-codegen generate --check

fmt: setup ## format the hand-written code
	@$(BIN)/black --quiet $(HAND)
	@$(BIN)/ruff check --fix --exit-zero --quiet $(HAND)

docs: setup ## build the site with a page for each model: site/index.html
	@$(BIN)/python -m sphinx -q -W --keep-going -b html docs site

wheels: setup ## build wheel and sdist, try them in empty environments on each Python that is here
	@$(BIN)/python -m nox

bench: setup ## measure against the peers, write docs/benchmarks.md
	@$(BIN)/python -m benchmarks

pictures: setup ## make the pictures of the docs anew: terminals, and the studio in a browser
	@$(BIN)/python docs/pictures.py
	@$(BIN)/python docs/studio_pictures.py

clean: ## remove the virtual environment, caches and all else that is made and not committed
	rm -rf $(VENV) .cache .hypothesis .mypy_cache .nox .pytest_cache .ruff_cache docs/reference generated/.cache site
