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

# What `make test` runs, in this order. A part that a change cannot pass yet is no part.
TEST_PARTS ?= lint test-unit test-crash test-race test-powercut test-sim test-planted test-interop

# Packages in which goroutines meet: they are tested under the race detector in every `make test`. What explores by
# seeds runs elsewhere at full size; under the detector a few seeds show every pair of goroutines there is.
RACE = $$($(GO) list ./aio/... ./journal/... ./broker ./broker/shard/... ./broker/session/... ./net/... ./cmd/internal/server)

FUZZTIME   ?= 30s
CRASH_IMAGES ?= 1000000
BENCHTIME  ?= 1s

# Options of the commands of bench/interop.
INTEROP_MATRIX ?=
INTEROP_SINGLE ?= -kills 100
INTEROP_PAIR   ?= -kills 30 -pauses 10
INTEROP := $(CACHE)/bin/interop

.PHONY: build
build: ## build bin/hind, one static file
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) ./cmd/hind
	@echo "built $(BIN) $(VERSION)"

.PHONY: run
run: build ## run the broker with the defaults, until Ctrl-C; RUN="--config etc/broker.xml" adds options
	$(BIN) run $(RUN)

.PHONY: demo
demo: build ## a pair on this machine under load, the active killed again and again; DEMO="--kills 20" adds options
	$(BIN) demo failover $(DEMO)

# Every part runs, also after one that failed, so that one run shows all that is wrong.
.PHONY: test
test: ## all that a change has to pass
	@mkdir -p $(CACHE)/log; rm -f $(CACHE)/log/*.count; table=""; failed=""; \
	for part in $(TEST_PARTS); do \
	  begin=$$SECONDS; result=passed; \
	  $(MAKE) --no-print-directory $$part || { result=FAILED; failed="$$failed $$part"; }; \
	  count=$$(cat $(CACHE)/log/$$part.count 2>/dev/null || true); \
	  table+=$$(printf '%-14s %5d s  %-6s  %s' $$part $$((SECONDS-begin)) $$result "$$count")$$'\n'; \
	done; \
	printf '\n%s%-14s %5d s\n' "$$table" all $$SECONDS; \
	if [ -n "$$failed" ]; then echo "FAILED:$$failed"; exit 1; fi

# Installs a Debian package for a tool that is missing, or says what to install. $(1): tool, $(2): packages.
define need
	@if ! command -v $(1) >/dev/null; then \
	  if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	    echo "$@ needs $(1), which is not on this machine: install $(2), or run as root where apt-get can"; exit 1; fi; \
	  echo "installing $(2) for $(1)"; \
	  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $(2); } >/dev/null || \
	    { echo "$@ needs $(1), and apt-get could not install $(2)"; exit 1; }; \
	fi
endef

# Runs tests and prints how many passed; what failed is printed whole, and a skipped test is a failure: a mechanism that
# is missing on this machine proves nothing. So are no test at all and a
# result remembered from another run. $(1): name of the log, $(2): arguments of go test, $(3): folder of the module.
define tests
	@mkdir -p $(CACHE)/log; log=$(CACHE)/log/$(1).log; rm -f $(CACHE)/log/$(1).count; \
	echo "$(1) ..."; \
	if ! (cd $(or $(3),.) && $(GO) test -v -count=1 $(2)) >$$log 2>&1; then \
	  grep -vE '^ *(=== |--- PASS)|^PASS$$|^ok |no test files' $$log | tail -n 300; echo "$(1): FAILED, all of it in $$log"; exit 1; fi; \
	if grep -E '^ *--- SKIP' $$log; then echo "$(1): FAILED, a test was skipped"; exit 1; fi; \
	passed=$$(grep -cE '^ *--- PASS' $$log || true); \
	if [ $$passed = 0 ]; then echo "$(1): FAILED, no test ran"; exit 1; fi; \
	echo "$$passed tests in $$(grep -cE '^ok ' $$log) packages" >$(CACHE)/log/$(1).count; \
	echo "$(1): $$(cat $(CACHE)/log/$(1).count) passed"
endef

.PHONY: lint
lint: $(STATICCHECK) ## go vet, gofmt and staticcheck
	@failed=0; files=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); \
	if [ -n "$$files" ]; then echo "not formatted: $$files"; failed=1; fi; \
	check() { echo "$$*"; "$$@" || failed=1; }; \
	check $(GO) vet ./...; check $(GO) vet -tags powercut ./aio/...; check $(STATICCHECK) ./...; \
	cd bench/interop; check $(GO) vet ./...; check $(STATICCHECK) ./...; exit $$failed
	@mkdir -p $(CACHE)/log; echo "$$(git ls-files -co --exclude-standard '*.go' | wc -l) files" >$(CACHE)/log/lint.count

$(STATICCHECK):
	@mkdir -p $(CACHE)/bin/.new
	GOBIN=$(CACHE)/bin/.new GOFLAGS= $(GO) install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)
	@mv $(CACHE)/bin/.new/staticcheck $@ && rmdir $(CACHE)/bin/.new

.PHONY: test-unit
test-unit: ## tests of all packages, long ones shortened; then those of bench/interop, a module of its own
	$(call tests,test-unit,-short -timeout 15m ./...)
	$(call tests,test-unit-interop,-short -timeout 5m ./...,bench/interop)
	@cd $(CACHE)/log && echo "$$(cat test-unit.count), $$(cat test-unit-interop.count) of bench/interop" >test-unit.new && mv test-unit.new test-unit.count

.PHONY: test-crash
test-crash: export HIND_CRASH_IMAGES = $(CRASH_IMAGES)
test-crash: ## the crash matrix of the journal, CRASH_IMAGES images
	$(call tests,test-crash,-timeout 60m -run TestCrashMatrix ./journal)
	@cd $(CACHE)/log && grep -oE '[0-9]+ crash images.*' test-crash.log | tee test-crash.count

.PHONY: test-race
test-race: export HIND_CRASH_IMAGES = 2000
test-race: export HIND_MODEL_SEEDS = 20
test-race: export CGO_ENABLED = 1
test-race: ## the packages in which goroutines meet, under the race detector
	$(call need,gcc,gcc libc6-dev)
	$(call tests,test-race,-race -short -timeout 15m $(RACE))

.PHONY: test-powercut
test-powercut: ## power cuts on real file systems on loop devices; needs root
	@if [ "$$(id -u)" != 0 ]; then echo "$@ mounts file systems and cuts them off: run it as root"; exit 1; fi
	$(call need,losetup,mount util-linux)
	$(call need,mkfs.ext4,e2fsprogs)
	$(call need,mkfs.xfs,xfsprogs)
	$(call need,mkfs.btrfs,btrfs-progs)
	@losetup -f >/dev/null || { echo "$@ needs a free loop device: load the module loop, or in a container run it privileged with /dev/loop*"; exit 1; }
	@for fs in ext4 xfs btrfs; do \
	  grep -qw $$fs /proc/filesystems || modprobe $$fs 2>/dev/null || { echo "$@ needs $$fs, which this kernel does not have"; exit 1; }; done
	$(call tests,test-powercut,-tags powercut -timeout 15m -run PowerCut ./aio)

.PHONY: test-sim
test-sim: ## pairs of brokers on simulated networks and disks
	@test -d fuzz/sim || { echo "$@: there is no fuzz/sim"; exit 1; }
	$(call tests,test-sim,-timeout 20m ./fuzz/sim/...)

.PHONY: test-planted
test-planted: ## mistakes planted on purpose: each must turn a test red
	@ls fuzz/planted/*.go >/dev/null 2>&1 || { echo "$@: fuzz/planted holds patches, and no program that applies them"; exit 1; }
	$(call tests,test-planted,-tags planted -timeout 20m ./fuzz/planted)

.PHONY: interop
interop: build # the program behind test-interop
	$(call need,javac,default-jdk-headless)
	$(call need,mvn,maven)
	@mkdir -p $(CACHE)/bin
	cd bench/interop && $(GO) build -o $(INTEROP) ./cmd/interop

.PHONY: test-interop
test-interop: interop ## unmodified Java clients: every flow; kill -9 of one broker; kills and pauses of a pair
	@mkdir -p $(CACHE)/log
	cd bench/interop && { $(INTEROP) fetch; $(INTEROP) matrix $(INTEROP_MATRIX); $(INTEROP) single $(INTEROP_SINGLE); \
	  $(INTEROP) pair $(INTEROP_PAIR); } 2>&1 | tee $(CACHE)/log/test-interop.log
	@echo "$$(grep -c '^PASSED' $(CACHE)/log/test-interop.log) scenarios; single $(INTEROP_SINGLE); pair $(INTEROP_PAIR)" >$(CACHE)/log/test-interop.count

# Hours on two cores. Each line can be run by itself.
.PHONY: trials
trials: ## the long versions: crash images, walks, models, fuzzing, races, every Java client
	$(MAKE) --no-print-directory test-crash CRASH_IMAGES=50000000
	$(call tests,trials-walks,-timeout 3h -run TestWalks ./broker/ha -walks 1000000)
	$(call tests,trials-model,-timeout 3h -run TestModel ./broker/session -model.seeds 20000)
	$(MAKE) --no-print-directory race
	$(MAKE) --no-print-directory fuzz FUZZTIME=10m
	$(MAKE) --no-print-directory test-interop INTEROP_MATRIX='-clients all -timeout 2h' INTEROP_SINGLE='-kills 1000 -timeout 5h' \
	  INTEROP_PAIR='-kills 300 -pauses 100 -timeout 5h'

.PHONY: race
race: export CGO_ENABLED = 1
race: ## all packages under the race detector, at the sizes of test-unit
	$(call tests,race,-race -short -timeout 60m ./...)

# Options of make bench; what it prints is also in .cache/bench. BENCH_DIR is on the disk to measure.
BENCH          := $(CACHE)/bench
BENCH_DIR      ?= $(BENCH)/dir
BENCH_JOURNAL  ?= -rounds 5
BENCH_RATES    ?= -rounds 5
BENCH_GAP      ?= -kills 4
BENCH_GAPS     ?= 5

.PHONY: bench
bench: bench-journal bench-brokers ## figures of bench/README.md: Append beside fio, hind beside Artemis; takes about an hour

.PHONY: bench-journal
bench-journal: ## Append of the journal library beside fio's synced writes (needs fio), about five minutes
	@command -v fio >/dev/null || { echo "bench-journal: fio is missing: apt-get install fio"; exit 1; }
	@mkdir -p $(BENCH); $(GO) build -o $(CACHE)/bin/benchjournal ./bench/cmd/benchjournal
	$(CACHE)/bin/benchjournal -dir $(BENCH_DIR) -out $(BENCH)/journal.json $(BENCH_JOURNAL) | tee $(BENCH)/journal.md

.PHONY: bench-brokers
bench-brokers: build ## hind and Artemis in turns under the same Java client: rates and failover gaps
	@mkdir -p $(BENCH); cd bench/interop && $(GO) build -o $(INTEROP) ./cmd/interop
	cd bench/interop && $(INTEROP) fetch && $(INTEROP) rates -timeout 2h -broker hind,artemis -journal ASYNCIO $(BENCH_RATES) 2>&1 | tee $(BENCH)/rates.log
	cd bench/interop && for i in $$(seq $(BENCH_GAPS)); do for b in hind artemis; do \
	  $(INTEROP) gap -broker $$b $(BENCH_GAP); done; done 2>&1 | tee $(BENCH)/gap.log
	$(GO) run ./bench/cmd/brokertable $(BENCH)/rates.log $(BENCH)/gap.log | tee $(BENCH)/brokers.md

.PHONY: bench-micro
bench-micro: ## micro benchmarks of all packages, BENCHTIME each
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
