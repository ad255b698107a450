# make demo    distil, quantise, convert, verify and score a student on the demo corpus, offline
# make test    all tests
# make check   format, lint, types
# make lock    resolve requirements.txt anew after a change in pyproject.toml
# Each makes .venv and installs into it first. Another Python: make PYTHON=python3.11 demo

SHELL := /bin/sh
VENV ?= .venv
export VENV
CANDIDATES := python3 python3.12 python3.11 python3.10
PYTHON ?= $(shell for python in $(CANDIDATES); do \
	$$python scripts/can_install.py >/dev/null 2>&1 && echo $$python && exit; done; echo python3)
TFKD := $(VENV)/bin/tfkd
STAMP := $(VENV)/.installed

.PHONY: demo test check lock install clean can-install

demo: install
	scripts/demo

test: install
	scripts/test

check: install
	scripts/check

lock:
	scripts/lock

install: $(STAMP)

can-install:
	@$(PYTHON) scripts/can_install.py

$(STAMP): pyproject.toml requirements.txt setup.py | can-install
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
