# `make` lists what there is. CARGO can be replaced, for instance by a wrapper that takes turns.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
CARGO ?= cargo
TOOLS := target/tools
PROGRAM := $(or $(CARGO_TARGET_DIR),target)/debug/kiungo

# A test waits more than it works, so there are two at a time for each processor.
THREADS := $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
NEXTEST := PATH="$(CURDIR)/$(TOOLS)/cargo/bin:$(CURDIR)/$(TOOLS)/bin:$$PATH" $(CARGO) nextest run --locked --test-threads $(THREADS)

.PHONY: help test quick soak tools programs nextest lint unit menu docs licences run pictures viewer fmt bench clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

# Last what says how many tests ran.
test: tools lint docs licences unit menu ## everything that must hold before a change goes in

quick: programs nextest ## format, lints, unit and contract tests: no browser, no crash loops
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets --features bare-server -- -D warnings
	$(NEXTEST) --profile quick

soak: tools nextest ## the tests that have smaller numbers in `make test`, with the large ones
	KIUNGO_SOAK=1 $(NEXTEST) --profile soak

# What the tests start: real Redis, real PostgreSQL, a real browser, what makes requests up, and what the partners' page
# is walked through with.
tools: $(TOOLS)/schemathesis/bin/schemathesis

$(TOOLS)/schemathesis/bin/schemathesis: programs
	@[ -x $@ ] || { python3 -m venv $(TOOLS)/schemathesis && $(TOOLS)/schemathesis/bin/pip install --quiet schemathesis==4.32.5; }

programs:
	@missing=(); \
	have() { command -v "$$1" >/dev/null || { [ $$# -gt 1 ] && compgen -G "$$2" >/dev/null; }; }; \
	have redis-server || missing+=(redis-server); \
	have postgres '/usr/lib/postgresql/*/bin/postgres' || missing+=(postgresql); \
	have chromium || missing+=(chromium); \
	have chromedriver '/usr/lib/chromium/chromedriver' || missing+=(chromium-driver); \
	have node || missing+=(nodejs); \
	have curl || missing+=(curl); \
	have jq || missing+=(jq); \
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
	$(CARGO) clippy --locked --all-targets --features bare-server -- -D warnings
	$(CARGO) clippy --locked --no-default-features -- -D warnings

# Each test is a process of its own: they start servers and browsers, and some need the machine for themselves.
unit: nextest
	$(NEXTEST)

nextest:
	@if ! $(CARGO) nextest --version >/dev/null 2>&1; then $(call tool,nextest); fi

# The program that the tests were built with: `cargo run` would build it once more, without the features that test
# dependencies need of others. Every screen in every language on the smallest phone.
menu:
	$(PROGRAM) menu check

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps

# The advisories are a repository of their own. Where it cannot be had, the rest is checked all the same.
licences:
	@if ! command -v cargo-deny >/dev/null; then $(call tool,deny); fi
	@PATH="$(CURDIR)/$(TOOLS)/cargo/bin:$(CURDIR)/$(TOOLS)/bin:$$PATH"; \
	deny() { cargo-deny --locked check --hide-inclusion-graph "$$@"; }; \
	deny bans licenses sources; \
	if timeout 120 cargo-deny --locked fetch db >$(TOOLS)/advisories.log 2>&1; then \
		deny --disable-fetch advisories; \
	else \
		echo "advisories NOT CHECKED: their database cannot be had from here, see $(TOOLS)/advisories.log"; \
	fi

# Ready made where there is one for this machine, else built from source, which takes some minutes. Kept below target.
define tool
if [ ! -x $(TOOLS)/cargo/bin/cargo-$(1) ] && [ ! -x $(TOOLS)/bin/cargo-$(1) ]; then \
	{ python3 -m venv $(TOOLS)/cargo && $(TOOLS)/cargo/bin/pip install --quiet --no-deps --require-hashes -r .ci/tools.txt; } || \
	{ $(CARGO) install --locked --debug --root $(TOOLS) --target-dir $(TOOLS)/build cargo-$(1); rm -rf $(TOOLS)/build; }; \
fi
endef

run: ## the server; without KIUNGO_CONFIG as a sandbox on this machine
	$(CARGO) run

pictures: ## take the pictures that stand in documents anew: docs/phone.png
	$(CARGO) test --locked --test it -- --ignored pictures::

viewer: ## fetch the viewer of the API reference: make viewer VERSION=2.4.820
	cd src/http/partner/reference/viewer; \
	npm pack --silent openapi-explorer@$(VERSION) >/dev/null; \
	tar -xzf openapi-explorer-$(VERSION).tgz --strip-components=1 package/LICENSE; \
	tar -xzOf openapi-explorer-$(VERSION).tgz package/dist/browser/openapi-explorer.min.js | gzip -9n > openapi-explorer.min.js.gz; \
	rm openapi-explorer-$(VERSION).tgz; \
	sed -i "1s/.*/# OpenAPI Explorer $(VERSION)/" README.md

fmt: ## put the sources in shape
	$(CARGO) fmt

bench: ## measure turns over each store beside a bare server; BENCH_LARGE=1 for a million dialogs
	CARGO="$(CARGO)" benches/turns.sh

clean: ## remove what was built, and the sandbox's data
	$(CARGO) clean
	rm -rf data
