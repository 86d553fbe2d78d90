# Everything a developer or the CI does is a target here. Needed: Go, git, make and bash.
# Tools are Go modules pinned under hack/tools; they and the control-plane binaries are built
# once, into a cache outside the checkout (VIPCLOUD_CACHE, default ~/.cache/vipcloud).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VERSION ?= $(shell git describe --tags --always --dirty 2> /dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
IMAGE ?= vipcloud:$(VERSION)
IMAGE_PLATFORM ?=
# Base images, pinned: BUILD_IMAGE=golang:1.26@sha256:… RUN_IMAGE=gcr.io/distroless/static:nonroot@sha256:…; see make base-images.
BUILD_IMAGE ?=
RUN_IMAGE ?=
# The same source and version give the same bytes, wherever they are built: no folder, no state of git, no time.
OUT ?= bin/vipcloud
BUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o '$(OUT)' ./cmd/vipcloud
CACHE := $(or $(VIPCLOUD_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vipcloud)

# The race detector needs a C compiler. Without one the tests still run, and say so.
RACE := $(if $(shell command -v gcc || command -v clang || command -v cc),-race)
TESTFLAGS ?=
GOTEST := go test -timeout 20m $(TESTFLAGS)

# Packages with a target of their own; test-unit takes the rest.
LAYERED := /controllers(/|$$)|/gateway/(source|report|provider)(/|$$)|/test/(chaos|crd|e2e|feature|money|propagation|providers|sdk|conformance|packaging|importrules)(/|$$)

TOOL := hack/tool.sh
# Evaluated in a recipe, so that only targets that need an API server make one.
ASSETS = KUBEBUILDER_ASSETS="$$(hack/controlplane/assets.sh $(1))"; export KUBEBUILDER_ASSETS;

# Passed on to the programs as environment: LISTEN=host:port, SMOKE=1, SHORT=1.
export LISTEN SMOKE SHORT

##@ Try it

.PHONY: help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "; print "Usage: make <target> [LISTEN=127.0.0.1:8080] [SMOKE=1] [SHORT=1] [VERSION=…] [IMAGE=…]"} \
	  /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-zA-Z0-9_-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: ## Serve the quickstart against a simulated vendor, without Kubernetes
	@$(BUILD)
	@go build -o bin/dev ./hack/dev
	@exec bin/dev run

.PHONY: demo
demo: ## Real API server, operator and gateway on this machine (SMOKE=1: one streamed call, then exit)
	@$(call ASSETS,full) $(BUILD) && go build -o bin/dev ./hack/dev && exec bin/dev demo

##@ Test

.PHONY: test
test: race-note test-unit test-providers test-crd test-controllers test-feature test-propagation test-chaos test-money test-sdk ## Every test but packaging and conformance

.PHONY: race-note
race-note:
	@$(if $(RACE),:,echo "no C compiler found: tests run without the race detector")

.PHONY: test-unit
test-unit: ## Packages that need nothing but themselves
	packages=$$(go list ./... | grep -vE '$(LAYERED)'); $(GOTEST) $(RACE) $$packages

.PHONY: test-providers
test-providers: ## Every vendor adapter against its simulator
	$(GOTEST) $(RACE) ./gateway/provider/...
	$(GOTEST) $(RACE) -run TestVendor ./test/feature

.PHONY: test-crd
test-crd: ## Every schema rule, accepting and refusing, on a real API server
	$(call ASSETS,test) $(GOTEST) ./test/crd/...

.PHONY: test-controllers
test-controllers: ## Reconcilers, sources and reports on a real API server
	$(call ASSETS,test) $(GOTEST) $(RACE) ./controllers/... ./gateway/source/... ./gateway/report/...

.PHONY: test-feature
test-feature: ## Objects in, HTTP behaviour out
	$(call ASSETS,test) $(GOTEST) $(RACE) ./test/feature/...

.PHONY: test-propagation
test-propagation: ## Time from apply to served and from revoke to refused: prints p50 and p99
	$(call ASSETS,test) $(GOTEST) -v -timeout 20m ./test/propagation/...

.PHONY: test-chaos
test-chaos: ## What is killed under load (gateways, operator, API server), keys that rotate, vendors that fail: nothing lost, none billed twice
	$(call ASSETS,test) $(GOTEST) $(RACE) -count=1 ./test/chaos/...

.PHONY: soak
soak: SOAK ?= 30
soak: ## Mixed load of a bounded rate for SOAK minutes (30): memory and goroutines stay flat, ledgers are equal
	$(call ASSETS,test) SOAK=$(SOAK) go test -v -count=1 -timeout $$(($(SOAK) + 15))m -run '^TestSoak$$' ./test/chaos/cluster

.PHONY: test-money
test-money: ## Gateways that are killed under load: books equal the vendor's
	$(call ASSETS,test) $(GOTEST) -count=1 -timeout 10m -skip TestScale ./test/money/...

.PHONY: test-scale
test-scale: ## 10,000 active keys and three replicas: what usage costs etcd (takes a quarter of an hour; no part of test)
	$(call ASSETS,test) $(GOTEST) -count=1 -timeout 60m -v -run TestScale ./test/money/...

.PHONY: test-sdk
test-sdk: ## The official Go SDK as client
	$(GOTEST) $(RACE) ./test/sdk/...

.PHONY: test-packaging
test-packaging: ## Charts, kustomizations and PROJECT (installs the chart on a real API server)
	$(call ASSETS,test) $(GOTEST) -count=1 ./test/packaging/...

.PHONY: test-importrules
test-importrules: ## Who may import whom, asked of the toolchain
	$(GOTEST) -count=1 ./test/importrules/...

.PHONY: conformance
conformance: ## The official Node and Python SDKs against a running gateway
	test/conformance/run.sh

# KUBECONFIG counts only on make's own command line: nobody means the cluster that the shell happens to point at.
.PHONY: e2e
e2e: ## The life of an installation on a real node, made here (KUBECONFIG=… on a cluster of yours)
	@$(if $(filter command line,$(origin KUBECONFIG)),E2E_KUBECONFIG='$(KUBECONFIG)') hack/e2e.sh

.PHONY: e2e-images
e2e-images: ## The images of make e2e as archives in bin/e2e
	@hack/e2e.sh images

.PHONY: bench
bench: ## Gateway beside a direct call, httputil.ReverseProxy and nginx (SHORT=1: a quick pass)
	hack/bench/run.sh

##@ Build

.PHONY: build
build: ## bin/vipcloud, static, version stamped in
	$(BUILD)

.PHONY: image
image: ## Container image (IMAGE=name:tag, IMAGE_PLATFORM=linux/arm64)
	docker build $(if $(IMAGE_PLATFORM),--platform=$(IMAGE_PLATFORM)) --build-arg VERSION=$(VERSION) \
	  $(if $(BUILD_IMAGE),--build-arg BUILD_IMAGE=$(BUILD_IMAGE)) $(if $(RUN_IMAGE),--build-arg RUN_IMAGE=$(RUN_IMAGE)) -t $(IMAGE) .

.PHONY: base-images
base-images: ## The base images with the digests they have now, to pin them by (asks their registries)
	@for image in $$(sed -nE 's/^ARG (BUILD|RUN)_IMAGE=(.+)$$/\2/p' Dockerfile); do \
	  echo "$$image@$$(docker buildx imagetools inspect "$$image" --format '{{.Manifest.Digest}}')"; done

.PHONY: images
images: ## Every image that an installation of the chart runs, for a registry without access to the world
	@hack/images.sh

##@ Supply chain

.PHONY: dist
dist: ## dist/: binaries for both architectures, charts, bill of materials, licences, checksums
	VERSION=$(VERSION) hack/dist.sh

.PHONY: sbom
sbom: ## The bill of materials of the binary, CycloneDX JSON on standard output
	@$(TOOL) bom sbom $(VERSION)

.PHONY: licences
licences: ## The licence of every module that is linked; fails on one that is not allowed
	@$(TOOL) bom licences

.PHONY: reproducible
reproducible: ## Build twice, in two places and with two caches, and compare (slow)
	VERSION=$(VERSION) hack/reproducible.sh

.PHONY: lint-workflows
lint-workflows: ## actionlint on the workflow files
	$(TOOL) actionlint -shellcheck= -pyflakes= .github/workflows/*.yaml

##@ Generate and check

.PHONY: generate
generate: ## Deep-copy methods of the API types
	$(TOOL) controller-gen object paths=./api/...

.PHONY: manifests
manifests: ## CRDs and the operator's ClusterRole, from markers
	$(TOOL) controller-gen crd paths=./api/... output:crd:artifacts:config=config/crd/bases
	$(TOOL) controller-gen rbac:roleName=vipcloud-operator paths=./controllers/... output:rbac:artifacts:config=config/rbac

.PHONY: charts
charts: ## Charts, from config/
	go run ./hack/charts

.PHONY: metrics
metrics: ## docs/metrics.md, from what the programs register
	go run ./hack/metrics

.PHONY: troubleshooting
troubleshooting: ## The tables of docs/troubleshooting.md, from what an API server and the operator say
	$(call ASSETS,test) go test ./controllers -run TestTroubleshooting -update

.PHONY: fmt
fmt: ## Format the Go files
	$(TOOL) golangci-lint fmt

.PHONY: vet
vet: ## go vet
	go vet ./...

.PHONY: lint
lint: lint-api ## golangci-lint, with the import fences
	$(TOOL) golangci-lint config verify
	$(TOOL) golangci-lint run

.PHONY: lint-api
lint-api: ## The Kube API linter on the API types
	$(TOOL) golangci-lint run --config .golangci-kal.yml ./api/...

.PHONY: verify
verify: ## Regenerate, check everything, fail on any difference
	hack/verify.sh

.PHONY: clean-cache
clean-cache: ## Remove bin/ and the cache outside the checkout
	rm -rf bin '$(CACHE)'
