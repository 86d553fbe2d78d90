#!/usr/bin/env bash
# make e2e: brings up a node (hack/node), runs test/e2e on it and takes it away, whatever happens. E2E_KUBECONFIG=FILE runs on that
# cluster instead; it must never have seen our CRDs, and it must find the images, which E2E_REGISTRY names:
#   hack/e2e.sh images            only writes them, as archives to bin/e2e: push them, or kind load image-archive
# E2E_RUN chooses steps, such as 'TestCluster/^(install|quickstart|kill)$'; E2E_KEEP=1 leaves the node up, and finds it again.
# Where no node can run, it prints "SKIPPED e2e: reason" and succeeds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
registry=${E2E_REGISTRY:-vipcloud.test}
out=bin/e2e
export E2E_IMAGE=$registry/vipcloud:e2e E2E_NEXT_IMAGE=$registry/vipcloud:e2e-next E2E_TOOLS_IMAGE=$registry/vipcloud-e2e-tools:e2e
E2E_PREVIOUS_IMAGE=$registry/vipcloud:e2e-previous
say() { echo "e2e: $*"; }

images() {
  local commit work
  mkdir -p "$out"
  say "building images"
  hack/image.sh "$out/vipcloud.tar" "$E2E_IMAGE" e2e
  hack/image.sh "$out/next.tar" "$E2E_NEXT_IMAGE" e2e-next
  CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$out/tools" ./test/e2e/tools
  hack/tool.sh mkimage -o "$out/tools.tar" -name "$E2E_TOOLS_IMAGE" -entrypoint /tools "$out/tools=/tools"
  # The product as it was before, if its commit is here: a shallow clone may not have it.
  commit=$(cat test/e2e/previous/commit)
  rm -f "$out/previous.tar"
  if git cat-file -e "$commit^{commit}" 2> /dev/null; then
    work=$(mktemp -d)
    git archive "$commit" | tar x -C "$work"
    hack/image.sh "$out/previous.tar" "$E2E_PREVIOUS_IMAGE" e2e-previous "$work"
    rm -rf "$work"
  fi
}

if [ "${1:-}" = images ]; then
  images
  ls -l "$out"/*.tar
  exit
fi

finish() {
  local status=$?
  trap - EXIT INT TERM
  [ -z "${test_pid:-}" ] || kill -TERM -- "-$test_pid" 2> /dev/null || true
  if [ -n "${up:-}" ] && [ -z "${E2E_KEEP:-}" ]; then
    say "taking the node away"
    hack/node/down.sh
  fi
  exit "$status"
}

. hack/node/env.sh
if [ -z "${E2E_KUBECONFIG:-}" ]; then
  why=$(hack/node/check.sh) || { echo "SKIPPED e2e: $why"; exit 0; }
  assets=$(hack/node/build.sh)
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  images
  up=1
  if ! { [ -n "${E2E_KEEP:-}" ] && [ -e "$NODE_STATE/up.pid" ] && kill -0 "$(cat "$NODE_STATE/up.pid")"; } 2> /dev/null; then
    hack/node/down.sh
    hack/node/up.sh > /dev/null
  fi
  say "loading images into the node"
  for image in "$out"/*.tar; do hack/node/node.sh load "$image" > /dev/null; done
  export E2E_KUBECONFIG=$NODE_KUBECONFIG E2E_NODE=$PWD/hack/node/node.sh
  PATH=${assets#*:}:$PATH
fi
[ ! -e "$out/previous.tar" ] || export E2E_PREVIOUS_IMAGE
E2E_KUBECTL=$(command -v kubectl) || { echo "e2e: kubectl is needed" >&2; exit 1; }
E2E_HELM=$(hack/tool.sh --path helm)
export E2E_KUBECTL E2E_HELM
# In a process group of its own, so that Ctrl-C ends it in order and nothing of it stays.
set -m
go test -count=1 -v -timeout "${E2E_TIMEOUT:-25m}" ${E2E_RUN:+-run "$E2E_RUN"} ./test/e2e &
test_pid=$!
set +m
wait "$test_pid"
