# Everything is installed into .venv, with the exact versions of requirements.lock. What may be set:
#> CARDS=DIR BUILD=DIR    where the cards lie, where what is built goes (cards, build)
#> DEVICE=this            a personal deck, measured on this machine's GPU: records and lock stay under build/
#> FRESH=1                executes every wanted run again
#> PORT=8000 RUN=1        watch: where; executes what the cards wait for
#> VERSION=2026.12        release: numbers joined by dots, greater than the last release's
#> BASE=v1 SHAPE=html     diff: a commit or a package in place of the last release; a page, or markdown
#> STRICT=1               check: as a release must pass, no record stale
#> VERBOSE=1 FILES=...    check: lists what is covered, typed by hand and missing; judges these files of cards alone
#> ALL=1 SEEDS=1000       verify: every draw; draws with other seeds, from that one on, held against the recorded bands
#> MINUTES=60 SEED=0       torture: how long, and the first seed
#> NOTES=10000            bench: how large a deck
#> PYTHON=python3.11      which Python makes .venv

PYTHON ?= python3
CARDS  ?= cards
BUILD  ?= build
VENV   := .venv
PY     := $(VENV)/bin/python
PIP    := $(VENV)/bin/python -m pip install -qq --disable-pip-version-check --constraint requirements.lock

DEVICE_FLAG = $(if $(filter this,$(DEVICE)),--device this)
RECORD_FLAGS = --deck $(CARDS) $(if $(filter this,$(DEVICE)),--device this --records $(BUILD)/records,--device $(QUOTED)) $(if $(FRESH),--fresh)
QUOTED = $(shell $(PY) -c "import yaml; print(','.join(yaml.safe_load(open('$(CARDS)/deck.yml'))['devices']))")
GENERATOR = $(PY) -m generator

$(if $(filter release,$(MAKECMDGOALS)),$(if $(VERSION),,$(error which version? make release VERSION=2026.12, say, greater than the last one's)))

.DEFAULT_GOAL := deck
.PHONY: deck decks release diff preview site watch check records rehearse tokenizers verify test mutants torture bench lint clean help
.DELETE_ON_ERROR:

deck: $(VENV)/installed due ## build the deck (and execute the runs that it still wants, where this machine can)
	@$(GENERATOR) deck $(CARDS) --build $(BUILD) $(DEVICE_FLAG)

decks: $(VENV)/installed due ## the deck, and a package for each subdeck
	@$(GENERATOR) deck $(CARDS) --build $(BUILD) $(DEVICE_FLAG) --each

release: $(VENV)/rehearser due ## rehearse the update in the real Anki, and make what is handed out: build/release; VERSION=2026.12
	@$(GENERATOR) release $(VERSION) $(CARDS) --build $(BUILD)

diff: $(VENV)/installed ## what changed since the last release, or BASE=..., and what importing it will do
	@$(GENERATOR) diff $(BASE) --cards $(CARDS) --build $(BUILD) $(DEVICE_FLAG) $(if $(SHAPE),--format $(SHAPE))

preview: $(VENV)/installed due ## all cards in a browser: build/preview/index.html
	@$(GENERATOR) preview $(CARDS) --build $(BUILD) $(DEVICE_FLAG)

site: $(VENV)/installed due ## the deck with a page for readers: build/site, a folder to put on any server
	@$(GENERATOR) site $(CARDS) --build $(BUILD)

watch: $(VENV)/installed $(if $(RUN),$(VENV)/torch) ## the preview served, and every saved card shown at once
	@exec $(GENERATOR) watch $(CARDS) --build $(BUILD) $(DEVICE_FLAG) $(if $(PORT),--port $(PORT)) $(if $(RUN),--run)

check: $(VENV)/installed ## judge cards, claims, records and the lock without packaging
	@$(GENERATOR) check $(or $(FILES),$(CARDS)) --build $(BUILD) $(DEVICE_FLAG) $(if $(STRICT),--strict) $(if $(VERBOSE),--verbose)

records: $(VENV)/torch ## execute every wanted run whose record is missing or stale, and measure if a quoted GPU is here
	@$(GENERATOR) wanted $(CARDS) | $(PY) -m kernels record - $(RECORD_FLAGS)

rehearse: $(VENV)/rehearsal ## every measurement on the CPU, small, and the cards as they are with its records: build/rehearsal
	@$(GENERATOR) wanted $(CARDS) | $(PY) -m kernels rehearse --deck $(CARDS) --wanted - --into $(BUILD)/rehearsal
	@$(GENERATOR) check $(CARDS) --build $(BUILD) --device rehearsal

tokenizers: $(VENV)/tokenizers ## the packages whose tokenizers and texts some runs read, so that verify and test take those runs in

verify: $(VENV)/torch ## recompute some draws of every recorded simulation, re-measure where the GPU is the record's
	@$(PY) -m kernels verify --deck $(CARDS) $(if $(ALL),--all) $(if $(SEEDS),--seeds $(SEEDS))

test: $(VENV)/tests ## the test suite, and the share of formulas that have an independent oracle
	@$(PY) -m pytest tests -q -n auto --dist loadfile && $(PY) -m kernels oracles --share

mutants: $(VENV)/tests ## change 300 constants of formulas one by one, and list those that no test notices
	@$(PY) tests/kernels/mutants.py

torture: $(VENV)/tests ## mistreat decks for an hour: mutated, damaged and interrupted ones, and histories of releases; MINUTES=5 SEED=1000
	@$(PY) tests/torture/run.py $(MINUTES) $(if $(SEED),--seed $(SEED))

bench: $(VENV)/bench ## how long builds take, against a script of one's own
	@$(PY) tests/bench/build_time.py $(NOTES)

lint: $(VENV)/lint ## ruff and mypy
	@$(PY) -m ruff check . && $(PY) -m mypy

clean: ## remove what was built; .venv stays
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@sed -n 's/^#> /  /p' $(MAKEFILE_LIST)

# Torch is installed, and loaded, only if some run has to be executed here; the published tokenizers only if it is one that reads them.
# A run that fails is reported; the deck is built all the same, and says what is missing.
.PHONY: due
due: $(VENV)/installed
	@mkdir -p $(BUILD) && $(GENERATOR) wanted $(CARDS) --due --build $(BUILD) $(DEVICE_FLAG) $(if $(FRESH),--fresh) > $(BUILD)/due.jsonl
	@if grep -q '"tokenizer_' $(BUILD)/due.jsonl; then $(MAKE) --no-print-directory $(VENV)/tokenizers; fi
	@if [ -s $(BUILD)/due.jsonl ]; then $(MAKE) --no-print-directory $(VENV)/torch && { $(PY) -m kernels record $(BUILD)/due.jsonl $(RECORD_FLAGS) || true; }; fi

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "the locked versions need Python 3.11 or newer: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml requirements.lock | $(VENV)/bin/python
	@echo "installing into $(VENV)"
	@$(PIP) --editable . && $(PY) -m compileall -q generator kernels && touch $@

$(VENV)/torch: $(VENV)/installed
	@$(PIP) --editable '.[kernels]' && touch $@

$(VENV)/tokenizers: $(VENV)/installed
	@$(PIP) --no-deps $$($(PY) -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['tokenizers'])") && touch $@

$(VENV)/rehearser: $(VENV)/installed
	@$(PIP) --editable '.[release]' && touch $@

$(VENV)/rehearsal: $(VENV)/torch
	@$(PIP) --editable '.[triton,search]' && touch $@

$(VENV)/tests: $(VENV)/installed
	@$(PIP) --editable '.[test]' && $(PIP) --no-deps aqt && touch $@ $(VENV)/torch  # of aqt, Anki's pages without its window

$(VENV)/bench: $(VENV)/installed
	@$(PIP) --editable '.[bench]' && touch $@

$(VENV)/lint: $(VENV)/installed
	@$(PIP) --editable '.[lint]' && touch $@
