# Two commands are enough for a newcomer: `make demo` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
JOBS   ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test fuzz check docs format lock bench chaos statistics notebooks clean

help:
	@echo "make demo       install, then find the incidents planted in a month of model outputs"
	@echo "make test       install what tests need, then checks and the whole suite"
	@echo "make fuzz       ten minutes of broken payloads; FUZZ_SECONDS=60 for one minute"
	@echo "make check      ruff, mypy --strict, import-linter, spelling"
	@echo "make docs       rewrite the generated reference pages"
	@echo "make bench      ratios against peers and against the physical limit"
	@echo "make chaos      kill, freeze and cut off workers and fill their disks, two thousand times, an hour of CPU"
	@echo "make statistics false alarms and delays beside other rules, half an hour of CPU"
	@echo "make lock       resolve constraints.txt anew (needs uv)"

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "outputwatch needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; say make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/runtime: $(VENV)/python pyproject.toml constraints.txt
	@echo "installing outputwatch and the packages it needs into $(VENV): a minute or two" >&2
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/development: $(VENV)/runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(VENV)/runtime
	@$(BIN)/outputwatch demo || test $$? -eq 3

test: check
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

fuzz: $(VENV)/development
	FUZZ_SECONDS=$${FUZZ_SECONDS:-600} $(BIN)/python -m pytest -q -s tests/integration/test_hostile_streams.py

check: $(VENV)/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/lint-imports
	$(BIN)/codespell README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md docs monitor detectors baselines configs

docs: $(VENV)/development
	$(BIN)/python -m docs.generate

format: $(VENV)/development
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/development
	$(BIN)/python benchmarks/audit.py
	$(BIN)/python -m benchmarks.stream
	$(BIN)/python -m benchmarks.evidence

chaos: $(VENV)/development
	$(BIN)/python -m tests.replay.chaos --runs 2000 --jobs $(JOBS)

statistics: $(VENV)/development
	$(BIN)/python -m benchmarks.statistics --jobs $(JOBS)

lock:
	uv pip compile --universal --python-version 3.11 --no-header --no-annotate pyproject.toml --extra dev --output-file constraints.txt --upgrade --quiet

clean:
	rm -rf $(VENV) demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
