# Everything that a person or CI does with this repo. `make help` lists it.

GO      ?= go
BIN     := bin/merlin-local
RELEASE ?= $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS := -s -w -X main.release=$(RELEASE)

# Modules of their own: the sample models and the proxy's bench. The bench's nested
# module, proxy/bench/queueproxy, only pins a program: it has no Go code to look at.
SAMPLES := $(patsubst %/go.mod,%,$(wildcard sample-models/*/go.mod))
MODULES := . $(SAMPLES) proxy/bench

# Tools, pinned; they run from the module cache and are not dependencies of ours.
GOFUMPT     := $(GO) run mvdan.cc/gofumpt@v0.12.0
STATICCHECK := $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOTESTSUM   := $(GO) run gotest.tools/gotestsum@v1.13.0

# The same flags everywhere, so that what has passed once is not run again. Tests that say
# t.Parallel() wait for containers, most of their time: four at once keep two cores busy.
TEST := $(GOTESTSUM) --format pkgname-and-test-fails -- -race -parallel 4 -timeout 14m


.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/merlin-local
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/merlin-local

.PHONY: install
install: ## install merlin-local where `go install` puts programs
	CGO_ENABLED=0 $(GO) install -trimpath -ldflags '$(LDFLAGS)' ./cmd/merlin-local

.PHONY: up
up: build ## run the first sample model, with Docker or without
	./$(BIN) -C sample-models/iris-http-go up

.PHONY: test
test: ## test everything; what needs a Docker Engine is skipped, loudly, where none answers
	$(TEST) ./...
	@set -e; for module in $(filter-out .,$(MODULES)); do \
		echo "== $$module"; (cd $$module && $(GOTESTSUM) --format pkgname-and-test-fails -- -race ./...); done

.PHONY: check
check: static race ## all that needs no Docker Engine: format, vet, lint, builds, race, dependencies

.PHONY: static
static: format vet lint cross ## what runs no test

.PHONY: format
format: ## fail where a file is not formatted
	@files=$$(git ls-files -co --exclude-standard '*.go' | xargs $(GOFUMPT) -l); \
	if [ -n "$$files" ]; then echo "not gofumpt:"; echo "$$files"; exit 1; fi

.PHONY: vet
vet: ## go vet, all modules
	@set -e; for module in $(MODULES); do echo "vet $$module"; (cd $$module && $(GO) vet ./...); done

.PHONY: lint
lint: ## staticcheck, all modules
	@set -e; for module in $(MODULES); do echo "staticcheck $$module"; (cd $$module && $(STATICCHECK) ./...); done

.PHONY: cross
cross: ## build and vet for the systems that users have
	@set -e; for os in linux darwin windows; do echo "build $$os"; \
		GOOS=$$os CGO_ENABLED=0 $(GO) build -o /dev/null ./cmd/merlin-local; GOOS=$$os $(GO) vet ./...; done

.PHONY: race
race: ## tests that need no Engine, with the race detector
	$(TEST) $(shell $(GO) list ./... | grep -v -e /emulator/docker -e /cmd/)
	$(GO) test -race -run TestDep ./cmd/merlin-local

.PHONY: samples
samples: build ## build, run and call every sample model
	$(GO) test -count=1 -v -run TestSample ./cmd/merlin-local

.PHONY: bench-ready
bench-ready: build ## time from `up` to the first 200, beside `docker run` (needs the docker CLI)
	./$(BIN) -C sample-models/iris-http-go up -d && ./$(BIN) -C sample-models/iris-http-go down
	MERLIN_LOCAL_BENCH_IMAGE=merlin-local/sample/iris-1:r1 $(GO) test -run xxx -bench UntilTheFirst200 -benchtime 11x ./cmd/merlin-local

.PHONY: bench
bench: ## measure the proxy beside others, some 5 minutes; the table is in bin/bench.md too
	cd proxy/bench && $(GO) run . -release $(RELEASE) -table $(CURDIR)/bin/bench.md

.PHONY: bench-memory
bench-memory: ## the proxy's memory: 1,000 idle connections, 1 GiB up and down, a soak of 10 minutes
	cd proxy/bench && $(GO) run . -idle 1000
	cd proxy/bench && $(GO) run . -large 1024
	cd proxy/bench && $(GO) run . -subjects merlin-local -soak 10m

.PHONY: bench-watch
bench-watch: ## what watching 50,000 files takes: start, idle processor time, memory; a minute and a half
	$(GO) test -run xxx -bench Tree -benchtime 1x ./emulator/watch

.PHONY: bench-screen
bench-screen: ## what the screen costs: idle, at 5,000 requests a second, saturated; two minutes (needs tmux, Linux)
	$(GO) test -run xxx -bench BenchmarkScreen -benchtime 1x ./cmd/merlin-local

.PHONY: soak
soak: ## half an hour of load, random keys and resizes on the screen (needs tmux, Linux)
	MERLIN_LOCAL_SOAK=30m $(GO) test -count 1 -v -timeout 40m -run TestScreenSoak ./cmd/merlin-local

.PHONY: pictures
pictures: build ## take the README's pictures of the screen anew (needs tmux and a Docker Engine)
	$(GO) run ./tui/pictures

.PHONY: recordings
recordings: build ## record the sessions of the golden screens anew; 3 minutes (needs a Docker Engine and the Python base image)
	$(GO) run ./tui/recordings
	$(GO) test ./tui -run TestGolden -update

.PHONY: bench-reload
bench-reload: ## from a save to the first answer by the new code, beside the bare steps; some 3 minutes (needs Docker)
	$(GO) test -run xxx -bench Reload -benchtime 10x -timeout 30m ./cmd/merlin-local

.PHONY: clean
clean: ## remove what was built
	rm -rf bin dist
