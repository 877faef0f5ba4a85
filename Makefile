# Everything starts here; `make` alone lists what there is. TypeScript is run as it is, by the Node 24 that `make setup`
# puts into node_modules/.bin.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:

export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

# make test REQUIRE=control-plane,qemu fails where no test ran with one of them.
REQUIRE ?=

INSTALLED := node_modules/.package-lock.json

##@ First steps

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: setup system-packages control-plane ## Bring up a small site with real guests where this machine can, and show it at work
	@node hack/demo/demo.ts up

.PHONY: demo-down
demo-down: setup ## Remove all that the demo brought up
	@node hack/demo/demo.ts down

.PHONY: test
test: setup system-packages control-plane check ## Check and test everything, with all set-up that this needs
	@node test/run.ts $(if $(REQUIRE),--require $(REQUIRE))

##@ Set-up, each done by the above where needed

.PHONY: setup
setup: $(INSTALLED) ## Install the npm packages, Node 24 among them

$(INSTALLED): package-lock.json
	@hack/setup/npm.sh

.PHONY: system-packages
system-packages: ## Install the Debian packages for a hypervisor and Go (as root; else say how)
	@hack/setup/system-packages.sh

.PHONY: control-plane
control-plane: setup ## Build etcd and Kubernetes' control plane once, into ~/.cache/usher
	@node hack/control-plane/build.ts

##@ While working

.PHONY: generate
generate: setup ## Write the manifests and reference pages anew from the schema
	@node hack/generate.ts

.PHONY: golden
golden: setup ## Write the texts anew that tests compare with; read the difference before you commit it
	@USHER_UPDATE_GOLDEN=1 mocha --reporter dot 'operator/**/*.test.ts' 'test/simulation/*.test.ts'

.PHONY: format
format: setup ## Format the code and sort its imports
	@biome check --write .

.PHONY: check
check: verify format-check lint typecheck unused ## All checks that run no tests

.PHONY: verify
verify: setup ## Fail where a generated file is stale
	@echo '── are the generated files current?'
	@node hack/generate.ts --check

.PHONY: format-check
format-check: setup ## Fail where the formatter would change something
	@echo '── is the code formatted?'
	@biome check .

.PHONY: lint
lint: setup ## Look for faults, wrong imports and files or functions that have grown too large
	@echo '── does the linter find anything?'
	@oxlint --type-aware --deny-warnings

.PHONY: typecheck
typecheck: setup ## Check the types
	@echo '── do the types fit?'
	@tsc --noEmit

.PHONY: unused
unused: setup ## Look for code, files and packages that nothing uses
	@echo '── is anything unused?'
	@knip

.PHONY: test-unit
test-unit: setup ## Run the unit tests alone: seconds, and nothing but Node needed
	@node test/run.ts --tier unit

.PHONY: bench
bench: setup system-packages control-plane ## Measure what Usher costs and how fast it is: ten minutes, best with nothing beside it
	@node test/bench/bench.ts

.PHONY: bench-page
bench-page: setup ## Take what `make bench` measured last into docs/performance.md and its charts
	@node test/bench/page.ts

# As often as it is wanted: MINUTES=60 for an hour.
MINUTES ?= 10

.PHONY: churn
churn: setup control-plane ## Create and delete five VMs a second for MINUTES (10), and look for leaks
	@node test/bench/churn.ts $(MINUTES)

.PHONY: clean
clean: ## Remove what was made in this folder (the cache in ~/.cache/usher stays)
	rm -rf build
