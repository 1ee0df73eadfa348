# make quickstart, test, lint: create .venv when it is missing, install into it, run.
# PYTHON=/path/to/python chooses the interpreter; python3.11, 3.10, 3.12 and python3 are tried otherwise.

PYTHON ?=
VENV ?= .venv
PYTEST_ARGS ?=
# Tests run in so many processes of one thread each; PYTEST_ARGS='-n 0' runs them in one that pdb can stop.
TEST_JOBS ?= 2
PYTEST = OMP_NUM_THREADS=1 '$(VENV)/bin/python' -m pytest tests -q

.DEFAULT_GOAL := help
.PHONY: help venv quickstart test lint docs clean

help:
	@echo 'make quickstart  install into $(VENV) when needed, render hands, train both stages, test, report'
	@echo 'make test   install into $(VENV) when needed, run the tests'
	@echo 'make lint   install into $(VENV) when needed, run ruff and mypy'
	@echo 'make docs   install into $(VENV) when needed, build the pages into site/'
	@echo 'make venv   only create $(VENV) and install into it'
	@echo 'make clean  remove $(VENV) and everything that was built'

venv:
	@sh .ci/venv.sh '$(VENV)' '$(PYTHON)'

quickstart:
	@start=$$(date +%s); $(MAKE) --no-print-directory venv && echo "== install: $$(( $$(date +%s) - start )) s"
	'$(VENV)/bin/python' -m mmdualhand quickstart

test: venv
	$(PYTEST) --durations=15 -n $(TEST_JOBS) --dist worksteal $(PYTEST_ARGS) || \
	{ echo '== what failed, again and alone'; $(PYTEST) --last-failed --last-failed-no-failures none $(PYTEST_ARGS) -n 0; }

lint: venv
	'$(VENV)/bin/python' -m ruff check .
	'$(VENV)/bin/python' -m mypy

docs: venv
	'$(VENV)/bin/python' -m pip install -q -c requirements/pinned.txt -r requirements/docs.txt
	'$(VENV)/bin/python' -m mkdocs build --strict

clean:
	rm -rf '$(VENV)' build dist site *.egg-info .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -not -path './data/*' -prune -exec rm -rf {} +
