# Each target brings what it needs; a machine with Python 3.11 or later, git and make is enough.
# UV_PYTHON chooses another Python, such as UV_PYTHON=3.13.

UV ?= $(or $(shell command -v uv),.uv/bin/uv)
RUN = $(UV) run --no-sync
# The tests of a file one after the other, since they share what takes long to make. Those of the deployed pipeline keep
# all cores busy by themselves.
ON_ALL_CORES = --numprocesses auto --dist loadfile

.PHONY: help setup demo cloud test test-glue check format bench fuzz

help: ## say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: setup ## the whole pipeline in an AWS on this machine
	@$(RUN) python -m emulator.demo

cloud: setup ## that AWS, left running to try
	@$(RUN) python -m emulator.cloud

test: setup ## all tests
	$(RUN) pytest $(ON_ALL_CORES) --ignore tests/cloud
	$(RUN) pytest tests/cloud

test-glue: $(UV) ## the tests of what runs on AWS Glue 6.0, with its Python and its pyarrow
	UV_PROJECT_ENVIRONMENT=.venv-glue UV_PYTHON=$(or $(UV_PYTHON),3.13) $(UV) run --locked --with pyarrow==23.0.1 \
		pytest $(ON_ALL_CORES) tests/formats tests/runtime

fuzz: setup ## damaged files for every parser, a minute long (SECONDS=600 SEED=8: longer, others)
	$(RUN) python -m tests.fuzz --seconds $(or $(SECONDS),60) --seed $(or $(SEED),7)

check: setup ## lint, format, types, layers
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(RUN) lint-imports

format: setup ## put the code in its format
	$(RUN) ruff format
	$(RUN) ruff check --fix

bench: setup ## speed and memory beside the peers; rewrites bench/RESULTS.md (BENCH=--short: five minutes)
	@UV_PROJECT_ENVIRONMENT=.venv-bench $(UV) sync --locked --quiet --group bench --no-dev
	$(RUN) python -m bench.run $(BENCH)

setup: $(UV)
	@test -d .venv || echo "Setting up: this takes a minute, once."
	@$(UV) sync --locked --quiet

.uv/bin/uv:
	@python3 -m venv .uv || { echo "python3 can't make virtual environments; on Debian: apt install python3-venv" >&2; rm -rf .uv; exit 1; }
	@.uv/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
