# Two commands matter: `make chat` and `make test`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DATA ?= data
HOST ?= 127.0.0.1
PORT ?= 7860
DATASETS ?= ../shared/datasets
LOG := $(VENV)/install.log
PIP := $(BIN)/python -m pip --disable-pip-version-check

# Runs a command with its output in the log. Only if it fails are the last lines shown: $(call quietly,COMMAND,ADVICE).
quietly = $(1) >>$(LOG) 2>&1 || { grep -v '^WARNING' $(LOG) | tail -n 20 >&2; echo "$(2) All of pip's words: $(LOG)" >&2; exit 1; }

.PHONY: help setup environment chat test test-slow bench bench-scale bench-report bench-page bench-staff audit lint format screenshots chromium clean

help:
	@echo "make chat        environment, index of seeds/, chat page on http://$(HOST):$(PORT); the local model comes meanwhile"
	@echo "make test        environment and local model, then lint, types, import rules, unit, browser and golden-suite tests"
	@echo "make test-slow   long chains, soaks and large sets"
	@echo "make bench       speed and latency figures on the sets in DATASETS=$(DATASETS)"
	@echo "make bench-scale time, memory and disk of indexes of 10,000 to 1,000,000 chunks"
	@echo "make bench-report how fast the page of a report of 1,000 questions opens and filters in Chromium"
	@echo "make audit       known holes of the packages in requirements.lock, by pip-audit"
	@echo "make bench-page  what the chat page loads, and when it can be read and used, on a slow line"
	@echo "make bench-staff how long the staff's queue and search take over 100,000 stored answers"
	@echo "make setup       environment and local model, nothing more; footnote is then $(BIN)/footnote"
	@echo "make screenshots the pictures in docs/screenshots"

setup: environment
	@$(BIN)/footnote model fetch

environment: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 is missing: install it, or name it with PYTHON=/path/to/python3.11." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "Footnote needs Python 3.11, $(PYTHON) is $$($(PYTHON) --version): name another with PYTHON=/path/to/python3.11." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing: install the package python3.11-venv." >&2; exit 1; }
	@echo "Making the environment in $(VENV): some 200 packages, a few minutes the first time; pip writes to $(LOG)…"
	@$(PYTHON) -m venv $(VENV)
	@: >$(LOG)
	@$(call quietly,$(PIP) install --no-deps --requirement requirements.lock,The packages could not be installed: is the package registry reachable?)
	@$(call quietly,$(PIP) install --no-deps --no-build-isolation --editable .,Footnote itself could not be installed: see the lines above.)
	@$(call quietly,$(PIP) check,The installed packages contradict each other: run make clean and try again.)
	@touch $(STAMP)
	@echo "The environment is ready."

# The page does not wait for the local model: until the weights are there it answers extractively.
chat: environment
	@echo "Starting the chat page on http://$(HOST):$(PORT): seconds, or some two minutes the first time, when seeds/ is indexed; the local model (1.1 GB) is fetched meanwhile, and answers are quotations until it is there."
	@test -f $(DATA)/footnote.db || $(BIN)/footnote index seeds --data-dir $(DATA)
	@$(BIN)/footnote model fetch & fetch=$$!; \
	  $(BIN)/footnote serve --data-dir $(DATA) --host $(HOST) --port $(PORT) & serve=$$!; \
	  trap 'kill $$fetch $$serve 2>/dev/null' INT TERM; \
	  wait $$serve; code=$$?; kill $$fetch 2>/dev/null; wait; exit $$code

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Files go to two processes: much of a test is waiting, for a server to start or a process to end.
test: lint chromium
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile

test-slow: setup chromium
	@$(call quietly,$(PIP) install ray==2.60.0,Ray could not be installed: is the package registry reachable?)
	$(BIN)/python -m pytest -m slow --timeout 3600

bench: setup
	$(BIN)/footnote eval speed $(DATASETS)/mtrag/clapnq $(DATASETS)/multihop100/musique $(DATASETS)/multihop100/hotpotqa --documents 10000 --rounds 3 --out docs/speed.json
	$(BIN)/footnote eval latency $(DATASETS)/mtrag/clapnq --answerer extractive --out docs/latency.json
	$(BIN)/footnote eval latency $(DATASETS)/squad2 --answerer local --limit 8 --beside-starter --out docs/latency-local.json

bench-scale: setup
	$(BIN)/footnote eval scale $(DATASETS)/mtrag/clapnq --out docs/scale.json

bench-staff: setup
	$(BIN)/python -m tests.web.bench_staff

bench-report: setup chromium
	$(BIN)/python -m tests.browser.report_speed

# Needs a registry that answers for advisories; `make test` compares the lock with docs/advisories.toml without one.
audit: setup
	@$(call quietly,$(PIP) install pip-audit==2.10.1 --target $(VENV)/audit,pip-audit could not be installed: is the package registry reachable?)
	PYTHONPATH=$(VENV)/audit $(BIN)/python -m pip_audit --requirement requirements.lock --no-deps --disable-pip

bench-page: setup chromium
	$(BIN)/python -m tests.browser.report_page

screenshots: setup chromium
	$(BIN)/python -m tests.browser.screenshots
	$(BIN)/python -m tests.browser.staff_screenshots
	$(BIN)/python -m tests.browser.readme_picture

chromium:
	@command -v chromium >/dev/null || { \
	  echo "Installing Debian's Chromium for the browser tests…"; \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null; \
	} || { echo "Chromium is missing and could not be installed: install the package chromium, or run as root." >&2; exit 1; }

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
