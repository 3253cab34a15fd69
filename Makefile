# Everything that a person or CI does here: `make help` lists it. Needs cargo, a C compiler and Python; the rest is
# installed into .venv.

# Any Python from 3.11 on: `make PYTHON=python3.13 demo`.
PYTHON ?= python3
PYTHON_MINIMUM := 3.11
RUST_MINIMUM := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

# Where cargo puts its results; cargo itself reads the same variable.
TARGET := $(or $(CARGO_TARGET_DIR),target)
FUNCTIONS := check-endpoint-exists deploy-new-endpoint deploy-existing-endpoint

VENV := .venv
INSTALLED := $(VENV)/.installed
PYTHON_CODE := harness demo tests local pipeline bench

# The one selection of packages, targets and features that demo, test and lint share. Another one would make cargo
# compile the SageMaker SDK, which takes minutes, once more.
EVERYTHING := --workspace --all-targets
# CI must not change what is locked; a developer who edits a Cargo.toml may.
LOCKED := $(if $(CI),--locked)
# Cargo's progress bar where a person watches, errors alone where a log is kept.
QUIET := $(shell test -t 2 || echo --quiet)

# No telemetry: nothing here calls home.
export SAM_CLI_TELEMETRY := 0
# Validation asks for a region, though for nothing in it.
export AWS_DEFAULT_REGION ?= eu-west-1

# As Lambda calls it.
ARCHITECTURE := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)

# cargo finds its subcommands on the PATH. A connection that stalls is no reason to wait for the advisories.
DENY = PATH="$(CURDIR)/$(VENV)/bin:$$PATH" GIT_TERMINAL_PROMPT=0 GIT_HTTP_LOW_SPEED_LIMIT=1000 GIT_HTTP_LOW_SPEED_TIME=20 \
  cargo deny $(LOCKED)

COMMA := ,
# One line that says what to install, where $(1) does not succeed.
require = { $(1); } >/dev/null 2>&1 || { echo "$(2)" >&2; exit 1; }

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check local bench lint format build setup pins clean-tools binaries check-rust check-python check-linux check-docker

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: check-linux binaries $(INSTALLED) ## Watch the functions deploy to a local SageMaker: half a minute, once built
	@$(VENV)/bin/python -m demo

test: check-linux binaries $(INSTALLED) ## Run the Rust tests, then the functions end to end
	cargo test $(LOCKED) --quiet --workspace
	$(VENV)/bin/python -m pytest --quiet

# `make test` plays single deployments, each with one thing that goes wrong. This one plays them with two, and then two
# deployments at a time with one.
check: check-rust ## Search much more of what can happen to deployments, for every promise: about five minutes
	ALL=2 STATES=200000 cargo test $(LOCKED) --package shared --test search -- --nocapture every_promise
	ACTORS=2 STATES=100000 cargo test $(LOCKED) --package shared --test search -- --nocapture every_promise

# Without a cache: the SAM CLI would keep it for as long as nothing changes in a function's own folder, and most of a
# function is in shared/. Without anybody's profiles and credentials: nothing here calls AWS.
local: check-linux check-docker binaries $(INSTALLED) ## Run the built stack in Docker with `sam local`: a minute and a half, once built
	local/base-image $(ARCHITECTURE)
	@echo "Building the functions for Lambda: about ten minutes at first."
	env -u AWS_PROFILE AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null \
	  PATH="$(CURDIR)/$(VENV)/bin:$$PATH" \
	  sam build --no-cached --template template.yaml --parameter-overrides Architecture=$(ARCHITECTURE)
	$(VENV)/bin/python -m pytest --verbose local

# All four in one selection, so that cargo uses what `make build` compiled.
bench: check-linux binaries $(INSTALLED) ## Measure the functions beside the same on boto3: ten minutes, once built
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo lambda build $(LOCKED) --release $(FUNCTIONS:%=--package %) --package empty-function
	$(VENV)/bin/python -m bench
	$(VENV)/bin/python -m pytest --quiet bench

lint: check-rust $(INSTALLED) ## Check formatting, lints, documentation, the template and the dependencies
	@$(call require,cargo fmt --version && cargo clippy --version,rustfmt or clippy is missing: run 'rustup component add rustfmt clippy'.)
	cargo fmt --all --check
	cargo clippy $(LOCKED) $(QUIET) $(EVERYTHING) -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc $(LOCKED) $(QUIET) --workspace --no-deps
	$(VENV)/bin/ruff check --quiet $(PYTHON_CODE)
	$(VENV)/bin/ruff format --quiet --diff $(PYTHON_CODE)
	$(VENV)/bin/cfn-lint --include-checks I -- template.yaml
	$(VENV)/bin/sam validate --lint --template template.yaml
	$(DENY) check --hide-inclusion-graph licenses bans sources
	@if $(DENY) fetch db >/dev/null 2>&1; then $(DENY) --offline check advisories; \
	  else echo "Advisories are NOT checked: the RustSec database cannot be fetched here." >&2; fi

format: check-rust $(INSTALLED) ## Format the Rust and the Python code
	cargo fmt --all
	$(VENV)/bin/ruff check --quiet --fix $(PYTHON_CODE)
	$(VENV)/bin/ruff format --quiet $(PYTHON_CODE)

build: check-rust $(INSTALLED) ## Build the functions for Lambda: about ten minutes at first
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo lambda build $(LOCKED) --release $(FUNCTIONS:%=--package %)

setup: $(INSTALLED) ## Install the Python tools into .venv

# In an environment of its own, so that what is installed here has no say. The comments at the top stay.
pins: check-python ## Write requirements.txt anew, with the latest that requirements.in allows
	rm -rf $(VENV)/pins
	$(PYTHON) -m venv $(VENV)/pins
	$(VENV)/pins/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.in
	{ sed -n '/^#/p' requirements.txt; $(VENV)/pins/bin/python -m pip freeze; } > $(VENV)/pins/requirements.txt
	mv $(VENV)/pins/requirements.txt requirements.txt

clean-tools: ## Remove .venv
	rm -rf $(VENV)

# --clear: what an earlier requirements.txt installed does not linger.
$(INSTALLED): requirements.txt
	@$(MAKE) --no-print-directory check-python
	@echo "Installing the Python tools into $(VENV): some minutes."
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

# The tests of every crate too, so that `cargo test` finds them compiled.
binaries: check-rust
	@ls $(TARGET)/debug/deps/libaws_sdk_sagemaker-*.rlib >/dev/null 2>&1 \
	  || echo "Compiling the SageMaker SDK, once: about eight minutes on two cores."
	cargo build $(LOCKED) $(QUIET) $(EVERYTHING)

check-rust:
	@$(call require,command -v cargo,cargo is missing: install Rust $(RUST_MINIMUM) or later with rustup (https://rustup.rs).)
	@$(call require,rustc --version,rustc does not run: install a toolchain with 'rustup toolchain install stable'.)
	@$(call require,command -v cc,cc is missing: install a C compiler$(COMMA) on Debian with 'apt-get install build-essential'.)
	@have=$$(rustc --version | cut -d ' ' -f 2); \
	  lowest=$$(printf '%s\n' "$(RUST_MINIMUM)" "$$have" | sort -V | head -n 1); \
	  test "$$lowest" = "$(RUST_MINIMUM)" \
	  || { echo "rustc $$have is too old: $(RUST_MINIMUM) or later is needed; run 'rustup update stable'." >&2; exit 1; }

check-python:
	@$(call require,command -v $(PYTHON),$(PYTHON) is missing: install Python $(PYTHON_MINIMUM) or later$(COMMA) or name it with PYTHON=….)
	@$(call require,$(PYTHON) -c 'import sys; sys.exit(sys.version_info < tuple(map(int$(COMMA) "$(PYTHON_MINIMUM)".split("."))))',$(PYTHON) is too old: install Python $(PYTHON_MINIMUM) or later$(COMMA) or name it with PYTHON=….)
	@$(call require,$(PYTHON) -c 'import ensurepip$(COMMA) venv',$(PYTHON) has no venv module: on Debian 'apt-get install python3-venv'.)

check-linux:
	@test "$$(uname -s)" = Linux \
	  || { echo "demo, test, local and bench need Linux: Lambda's runtime interface emulator is a Linux program." >&2; exit 1; }

check-docker:
	@$(call require,docker version,Docker does not answer$(COMMA) and the SAM CLI runs functions in it: install and start it first.)
