#!/usr/bin/env bash
# The official Node and Python SDKs, and the README's commands, against a running gateway with simulated vendors. Needs Go, and for each
# suite node 20 with npm, python3 with venv, or curl and python3; a suite whose tools are missing is skipped and says so. The SDKs are
# installed at their pinned versions into a cache outside the checkout (VIPCLOUD_CACHE, default ~/.cache/vipcloud).
#   test/conformance/run.sh [node|python|readme]...     which suites to run; default: all
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/../.."
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(node python readme)
cache=${VIPCLOUD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vipcloud}/conformance
work=$(mktemp -d)
dev=

finish() {
  local status=$?
  trap - EXIT INT TERM
  if [ -n "$dev" ]; then
    kill -TERM "$dev" 2> /dev/null || true
    wait "$dev" 2> /dev/null || true
  fi
  if [ "$status" -ne 0 ] && [ -s "$work/gateway.log" ]; then
    echo "--- the gateway's log without its requests"
    grep -v 'msg=Request ' "$work/gateway.log" | tail -n 40
  fi
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Runs "$3..." in a directory of its own below the cache, once for each content of the pins, and prints the directory.
installed() { # name, file of pins, command…
  local name=$1 pins=$2 dir partial
  shift 2
  dir=$cache/$name-$(git hash-object "$pins" | cut -c1-12)
  if [ ! -e "$dir/complete" ]; then
    echo "conformance: installing the $name SDK into $dir" >&2
    rm -rf "$dir"
    mkdir -p "$dir"
    "$@" "$dir" >&2
    touch "$dir/complete"
  fi
  echo "$dir"
}

install_node() { # directory
  cp test/conformance/node/package.json test/conformance/node/package-lock.json "$1"
  (cd "$1" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error)
}

install_python() { # directory
  python3 -m venv "$1/venv"
  "$1/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r test/conformance/python/requirements.txt
}

missing_node() {
  command -v node > /dev/null || { echo "node is not installed"; return; }
  command -v npm > /dev/null || { echo "npm is not installed"; return; }
  node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || echo "node is older than 20"
}

missing_python() {
  command -v python3 > /dev/null || { echo "python3 is not installed"; return; }
  python3 -c 'import ensurepip, venv' 2> /dev/null || { echo "python3 has no venv"; return; }
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || echo "python3 is older than 3.10"
}

missing_readme() {
  command -v curl > /dev/null || { echo "curl is not installed"; return; }
  command -v python3 > /dev/null || echo "python3 is not installed"
}

run_node() {
  local dir
  dir=$(installed node test/conformance/node/package-lock.json install_node)
  ln -s "$dir/node_modules" "$work/node/node_modules"
  node --test --test-concurrency=1 --test-timeout=120000 --test-reporter=spec "$work"/node/*.test.mjs
}

run_python() {
  local dir
  dir=$(installed python test/conformance/python/requirements.txt install_python)
  PYTHONDONTWRITEBYTECODE=1 "$dir/venv/bin/python" -m unittest discover --start-directory "$work/python" --verbose
}

run_readme() {
  CONFORMANCE_PRINTED=$work/exports go test -count=1 -v -run TestREADME ./test/sdk
}

start_gateway() {
  go build -o "$work/vipcloud" ./cmd/vipcloud
  go build -o "$work/dev" ./hack/dev
  cp -r config/samples "$work/manifests"
  cp -r test/conformance/manifests "$work/manifests/conformance"
  "$work/dev" run -binary "$work/vipcloud" -listen 127.0.0.1:0 -task-step 200ms -samples "$work/manifests" > "$work/exports" 2> "$work/gateway.log" &
  dev=$!
  for _ in $(seq 900); do
    if grep -q '^export OPENAI_API_KEY=' "$work/exports"; then
      eval "$(grep '^export ' "$work/exports")"
      CONFORMANCE_ADMIN_URL=$(sed -n 's/^# admin: \(http[^ ]*\).*/\1/p' "$work/gateway.log")
      export CONFORMANCE_ADMIN_URL
      return
    fi
    kill -0 "$dev" 2> /dev/null || break
    sleep 0.1
  done
  echo "conformance: the gateway does not start" >&2
  return 1
}

runnable=()
for suite in "${suites[@]}"; do
  reason=$("missing_$suite")
  if [ -n "$reason" ]; then
    echo "SKIPPED conformance-$suite: $reason"
  else
    runnable+=("$suite")
  fi
done
[ ${#runnable[@]} -gt 0 ] || exit 0

# The suites run from a copy, so that nothing is written into the checkout.
cp -r test/conformance/{cases,examples,node,python} "$work"
start_gateway
failed=()
for suite in "${runnable[@]}"; do
  echo "--- conformance-$suite"
  # In a shell of its own, where -e still counts: it would not in a condition.
  set +e
  (set -e; "run_$suite")
  status=$?
  set -e
  [ "$status" -eq 0 ] || failed+=("$suite")
done
kill -0 "$dev" 2> /dev/null || { echo "conformance: the gateway ended early"; failed+=(gateway); }
if [ ${#failed[@]} -gt 0 ]; then
  echo "conformance FAILED: ${failed[*]}"
  exit 1
fi
echo "conformance: ok (${runnable[*]})"
