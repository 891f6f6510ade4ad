# Short names for the commands of the README.
PYTHON := .venv/bin/python

.PHONY: start setup test quick lint types evals ingest

start: setup
	$(PYTHON) app.py

setup: .venv/bin/ruff

.venv/bin/ruff: requirements.lock pyproject.toml
	python3 -m venv .venv
	.venv/bin/pip install -c requirements.lock -e '.[dev]'
	touch $@

test: setup
	$(PYTHON) -m pytest

quick: setup
	$(PYTHON) -m pytest -m 'not slow and not browser'

lint: setup
	$(PYTHON) -m ruff check .

types: setup
	$(PYTHON) -m mypy

evals: setup
	$(PYTHON) -m evals

ingest: setup
	$(PYTHON) ingest.py
