# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
FUZZTIME ?= 10s
MODULES   = . sandbox e2e

.PHONY: all build sandbox-bin demo test e2e lint fuzz bench docs tools clean

all: build

build: ## bin/chartsign
	@CGO_ENABLED=0 tools/progress.sh "building bin/chartsign" \
	go build -v -trimpath -tags urfave_cli_no_docs -ldflags "-s -w -X main.version=$(VERSION)" -o bin/chartsign ./cmd/chartsign

sandbox-bin: ## bin/sandbox: a throw-away registry and Sigstore on loopback
	@cd sandbox && CGO_ENABLED=0 ../tools/progress.sh "building bin/sandbox (some minutes the first time)" \
	go build -v -trimpath -ldflags "-s -w" -o ../bin/sandbox .

demo: build sandbox-bin ## the whole story on this machine, without a network
	@CHARTSIGN_BIN="$(CURDIR)/bin/chartsign" SANDBOX_BIN="$(CURDIR)/bin/sandbox" demo/demo.sh

test: ## unit tests and stories on the command, without a network
	go test -race ./...

e2e: build sandbox-bin ## the sandbox's tests, then stories against real peers; builds them once
	cd sandbox && go test -count=1 ./...
	tools="$$(tools/install.sh e2e)" && cd e2e && \
	CHARTSIGN_BIN="$(CURDIR)/bin/chartsign" SANDBOX_BIN="$(CURDIR)/bin/sandbox" PATH="$$tools:$$PATH" \
	E2E_TABLES="$(CURDIR)/bin/e2e.txt" go test -count=1 -timeout 20m ./...
	@cat bin/e2e.txt

lint: ## formatting, vet and linters over every module
	@files="$$(gofmt -l .)"; test -z "$$files" || { echo "gofmt: $$files"; exit 1; }
	@tools="$$(tools/install.sh lint)" && for module in $(MODULES); do \
		echo "lint: $$module"; \
		(cd "$$module" && go vet ./... && "$$tools/golangci-lint" run ./...) || exit 1; \
	done

fuzz: ## every fuzz target for FUZZTIME each
	FUZZTIME=$(FUZZTIME) tools/fuzz.sh

bench: ## what the published figures come from
	go test -run '^$$' -bench . -benchmem ./...
	tools/bench.sh

docs: ## docs/cli from the command's own help
	go test ./cmd/chartsign -run TestDocs -update

tools: ## every pinned tool, in the folder that this prints
	tools/install.sh lint e2e bench

clean:
	rm -rf bin dist coverage.* .sandbox
