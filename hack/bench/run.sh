#!/usr/bin/env bash
# Measures the gateway side by side with a direct call, httputil.ReverseProxy and nginx. SHORT=1 sends a tenth.
set -euo pipefail
cd "$(dirname "$0")/../.."
ulimit -n 16384 2> /dev/null || true
go build -o bin/vipcloud ./cmd/vipcloud
go build -o bin/bench ./hack/bench
exec bin/bench run "$PWD/bin/vipcloud"
