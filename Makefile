# `make` lists what there is. CARGO can be replaced, for instance by a wrapper that takes turns.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
CARGO ?= cargo
TOOLS := target/tools

.PHONY: help test tools programs lint unit menu docs licences run graph fmt bench clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

test: tools lint unit menu docs licences ## everything that must hold before a change goes in

# What the tests start: real Redis, real PostgreSQL, a real browser, what makes requests up, and what the partners' page
# is walked through with.
tools: $(TOOLS)/schemathesis/bin/schemathesis

$(TOOLS)/schemathesis/bin/schemathesis: programs
	@[ -x $@ ] || { python3 -m venv $(TOOLS)/schemathesis && $(TOOLS)/schemathesis/bin/pip install --quiet schemathesis==4.32.5; }

programs:
	@missing=(); \
	have() { command -v "$$1" >/dev/null || compgen -G "$$2" >/dev/null; }; \
	have redis-server '' || missing+=(redis-server); \
	have postgres '/usr/lib/postgresql/*/bin/postgres' || missing+=(postgresql); \
	have chromium '' || missing+=(chromium); \
	have chromedriver '/usr/lib/chromium/chromedriver' || missing+=(chromium-driver); \
	have node '' || missing+=(nodejs); \
	have curl '' || missing+=(curl); \
	have jq '' || missing+=(jq); \
	python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv); \
	[ $${#missing[@]} -eq 0 ] && exit 0; \
	if ! command -v apt-get >/dev/null; then \
		echo "The tests need these programs, under whatever name your system has for them: $${missing[*]}" >&2; exit 1; \
	fi; \
	as_root=(); \
	if [ "$$(id -u)" -ne 0 ]; then \
		command -v sudo >/dev/null || { echo "As root: apt-get install $${missing[*]}" >&2; exit 1; }; \
		as_root=(sudo); \
	fi; \
	"$${as_root[@]}" apt-get update -q; \
	"$${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "$${missing[@]}"

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --no-default-features -- -D warnings

# Each test is a process of its own: they start servers and browsers, and some need the machine for themselves. The runner
# is built once where it is missing.
unit:
	@if ! $(CARGO) nextest --version >/dev/null 2>&1 && [ ! -x $(TOOLS)/bin/cargo-nextest ]; then \
		$(CARGO) install --locked --root $(TOOLS) --target-dir $(TOOLS)/build cargo-nextest; \
		rm -rf $(TOOLS)/build; \
	fi
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" $(CARGO) nextest run --locked
	$(CARGO) test --locked --doc

# Every screen in every language on the smallest phone.
menu:
	$(CARGO) run --locked --quiet -- menu check

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps

# Built once, which takes some minutes, and kept below target. It is used once, so it need not be fast.
licences:
	@if ! command -v cargo-deny >/dev/null && [ ! -x $(TOOLS)/bin/cargo-deny ]; then \
		$(CARGO) install --locked --debug --root $(TOOLS) --target-dir $(TOOLS)/build cargo-deny; \
		rm -rf $(TOOLS)/build; \
	fi
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" cargo-deny --locked check --hide-inclusion-graph bans licenses sources

run: ## the server; without KIUNGO_CONFIG as a sandbox on this machine
	$(CARGO) run

graph: ## draw the conversation anew: docs/menu.svg
	$(CARGO) run --locked --quiet -- menu graph --format svg > docs/menu.svg.new
	mv docs/menu.svg.new docs/menu.svg

fmt: ## put the sources in shape
	$(CARGO) fmt

bench: ## measure a turn over each store
	$(CARGO) bench --locked

clean: ## remove what was built, and the sandbox's data
	$(CARGO) clean
	rm -rf data
