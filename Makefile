# `make quantize` and `make test` set up all they need: a virtual environment in .venv, pinned by requirements.lock.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
UV     := uv==0.13.9
PIPELINE ?= examples/formula_scan
EXAMPLE  := dist/formula_scan-0.1.0.litebundle
MVN      ?= mvn

.PHONY: quantize test lint types check bench harness lock clean

quantize: $(READY)
	$(BIN)/litebundle build $(PIPELINE) --output dist

test: $(READY)
	$(BIN)/python -m pytest -n auto

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

check: lint types test

bench: $(READY)
	$(BIN)/python bench/build.py

# Compiles and tests the Android harness on this machine, and packs the sample's signed APK. Linux on x86-64 alone.
# What Debian's packages lack is said before the long set-up, which comes with `quantize`.
harness:
	android_harness/debian.sh
	$(MAKE) quantize PIPELINE=examples/formula_scan
	$(BIN)/python android_harness/parity/expect.py $(EXAMPLE) -o dist/parity
	$(MVN) -B -q -T2 -f android_harness/pom.xml -Dvenv=$(abspath $(VENV)) clean verify
	HARNESS_BUILT=1 $(BIN)/python -m pytest -n auto tests/android_harness

# The stamp is the last thing written, so a set-up that was interrupted starts again.
$(READY): requirements.lock setup.cfg
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo "error: litebundle needs Python 3.11 to 3.13, $(PYTHON) is $$($(PYTHON) -V 2>&1); use make PYTHON=python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

lock: $(READY)
	$(BIN)/uv pip compile setup.cfg --all-extras --universal --python-version 3.11 --no-header --no-annotate --generate-hashes --quiet --output-file requirements.lock

clean:
	rm -rf build dist .litebundle examples/*/.litebundle android_harness/target android_harness/*/target .mypy_cache .ruff_cache .pytest_cache .hypothesis
