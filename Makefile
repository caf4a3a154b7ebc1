# One line a verb; CI calls the same.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup run test chaos check up bench examples format openapi pictures
setup: .venv/.ready

.venv/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Trainwire needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	@echo "Setting up .venv: a minute or more, most of it PyTorch."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install -q --upgrade pip
	@$(BIN)/pip install -q -e '.[dev]'
	@touch $@

run: setup
	@$(BIN)/trainwire demo

test: setup
	@$(BIN)/pytest -n 3 --dist loadfile

chaos: setup
	@$(BIN)/pytest tests/chaos --full -q

check: setup
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

up: setup
	@$(BIN)/trainwire up

bench: setup
	@$(BIN)/python -m bench

examples: setup
	@$(BIN)/python -m examples

format: setup
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

openapi: setup
	@$(BIN)/python -m api.openapi > docs/openapi.json

pictures: setup
	@$(BIN)/pytest tests/e2e/test_pictures.py --full --pictures docs/pictures -q
