# hind. `make help` lists the targets; docs/testing.md says what each test proves.

SHELL      := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
MAKEFLAGS  += --no-builtin-rules

GO         ?= go
VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)
BIN        := bin/hind
CACHE      := $(CURDIR)/.cache

# Pinned: a newer checker may find what an older one did not, and that should be a change of its own.
STATICCHECK_VERSION := v0.8.2
STATICCHECK := $(CACHE)/bin/staticcheck-$(STATICCHECK_VERSION)

# Packages in which goroutines meet: they are tested under the race detector in every `make test`.
RACE = $$($(GO) list ./aio/... ./journal/... ./broker/shard/... ./broker/session/... ./net/...)

FUZZTIME   ?= 30s
CRASH_IMAGES ?= 1000000
BENCHTIME  ?= 1s

.PHONY: build
build: ## build bin/hind, one static file
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) ./cmd/hind
	@echo "built $(BIN) $(VERSION)"

.PHONY: test
test: lint test-unit test-crash test-race ## all that a change has to pass

# Runs tests and prints how many passed; what failed is printed whole, and a skipped test is a failure: a mechanism that
# is missing on this machine proves nothing. $(1): name of the log, $(2): arguments of go test.
define tests
	@mkdir -p $(CACHE)/log; log=$(CACHE)/log/$(1).log; \
	echo "$(1) ..."; \
	if ! $(GO) test -v $(2) >$$log 2>&1; then \
	  grep -vE '^ *(=== |--- PASS)|^PASS$$|^ok |no test files' $$log | tail -n 300; echo "$(1): FAILED, all of it in $$log"; exit 1; fi; \
	if grep -E '^ *--- SKIP' $$log; then echo "$(1): FAILED, a test was skipped"; exit 1; fi; \
	echo "$(1): $$(grep -cE '^ *--- PASS' $$log) tests in $$(grep -cE '^ok ' $$log) packages passed"
endef

.PHONY: lint
lint: $(STATICCHECK) ## go vet, gofmt and staticcheck
	@files=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); \
	  if [ -n "$$files" ]; then echo "not formatted: $$files"; exit 1; fi
	$(GO) vet ./...
	$(STATICCHECK) ./...

$(STATICCHECK):
	@mkdir -p $(CACHE)/bin/.new
	GOBIN=$(CACHE)/bin/.new GOFLAGS= $(GO) install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)
	@mv $(CACHE)/bin/.new/staticcheck $@ && rmdir $(CACHE)/bin/.new

.PHONY: test-unit
test-unit: ## tests of all packages, long ones shortened
	$(call tests,test-unit,-short -timeout 15m ./...)

.PHONY: test-crash
test-crash: export HIND_CRASH_IMAGES = $(CRASH_IMAGES)
test-crash: ## the crash matrix of the journal, CRASH_IMAGES images
	$(call tests,test-crash,-timeout 25m -run TestCrashMatrix ./journal)
	@grep -hE 'crash images' $(CACHE)/log/test-crash.log

.PHONY: test-race
test-race: ## the packages in which goroutines meet, under the race detector
	$(call tests,test-race,-race -short -timeout 15m $(RACE))

.PHONY: race
race: ## all packages under the race detector
	$(call tests,race,-race -short -timeout 60m ./...)

.PHONY: bench
bench: ## micro benchmarks of all packages, BENCHTIME each
	$(GO) test -run '^$$' -bench . -benchtime $(BENCHTIME) ./...

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME and print its executions
	@count=0; \
	for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg | grep -E 'elapsed|ok|FAIL|panic|---' | tail -n 2; \
	    count=$$((count+1)); \
	  done; \
	done; \
	echo "$$count fuzz targets ran for $(FUZZTIME) each"; \
	test $$count -gt 0

.PHONY: clean
clean: ## remove what was built; test caches stay
	rm -rf bin

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14
