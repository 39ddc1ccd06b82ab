# make run    set up and start the emulator in the foreground
# make test   set up, then lint, types, import contracts and every test
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.PHONY: run test lint bench constraints clean

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check install --quiet --constraint deploy/constraints.txt

run: $(VENV)/run.stamp
	@exec $(BIN)/python -m api

test: lint
	$(BIN)/pytest

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev.stamp
	$(BIN)/python -m tests.bench

$(VENV)/run.stamp: pyproject.toml deploy/constraints.txt | $(BIN)/python
	@echo "installing into $(VENV) ..."
	$(PIP) pip
	$(PIP) --editable .
	touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	$(PIP) --group dev
	touch $@

# Debian and Ubuntu split venv off from Python, so that a fresh machine has it not.
$(BIN)/python:
	@for python in python3 python3.14 python3.13 python3.12 python3.11 none; do
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
	done
	if [ $$python = none ]; then
		echo "Python 3.11 or newer is needed, and not on PATH" >&2
		exit 1
	fi
	if ! $$python -c 'import ensurepip' 2>/dev/null; then
		package=$$($$python -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
		sudo=$$([ "$$(id -u)" = 0 ] || echo sudo)
		install="$$sudo apt-get install --yes --no-install-recommends $$package"
		echo "installing $$package, without which Python cannot make $(VENV) ..."
		if ! { $${sudo:+sudo -n} apt-get update -qq && $${sudo:+sudo -n} $${install#sudo } >&2; }; then
			echo "that did not work; run this, then make again: $$install" >&2
			exit 1
		fi
	fi
	$$python -m venv $(VENV)

# The newest versions that pyproject.toml allows, tried out by the next make test
constraints:
	python3 -m venv --clear build/constraints
	build/constraints/bin/pip install --quiet --upgrade pip
	build/constraints/bin/pip install --quiet --editable . --group dev
	build/constraints/bin/pip freeze --all --exclude-editable --exclude setuptools \
		> deploy/constraints.txt

clean:
	rm -rf $(VENV) build dist .*_cache .hypothesis
