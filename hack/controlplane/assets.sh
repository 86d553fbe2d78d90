#!/usr/bin/env bash
# Prints the directory that holds the control-plane binaries (kube-apiserver, etcd, kubectl,
# kube-controller-manager, kube-scheduler) and makes them first if need be:
#   1. KUBEBUILDER_ASSETS, if it is set and complete;
#   2. setup-envtest, if it can download (it has no controller manager and no scheduler,
#      so only for `assets.sh test`);
#   3. built from the Go module beside this script, once, into a cache outside the checkout.
# Usage: assets.sh [test|full]     (default: test)
# Progress goes to standard error, the directory to standard output.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
want=${1:-test}
need=(kube-apiserver etcd kubectl)
[ "$want" = full ] && need+=(kube-controller-manager kube-scheduler)
say() { echo "control plane: $*" >&2; }
complete() { local n; for n in "${need[@]}"; do [ -x "$1/$n" ] || return 1; done; }

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  complete "$KUBEBUILDER_ASSETS" && { echo "$KUBEBUILDER_ASSETS"; exit 0; }
  say "KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS does not hold all of: ${need[*]}; looking further"
fi

version=$(awk '$1 == "k8s.io/kubernetes" {print $2; exit}' "$here/go.mod")
cache=${VIPCLOUD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vipcloud}
digest=$(cat "$here/go.mod" "$here/go.sum" "$here/main.go" | sha256sum | cut -c1-12)
dir=$cache/controlplane-$version-$digest
complete "$dir" && { echo "$dir"; exit 0; }

if [ "$want" = test ]; then
  minor=$(cut -d. -f1,2 <<< "${version#v}")
  say "trying setup-envtest for Kubernetes $minor"
  if got=$(timeout 240 "$here/../tool.sh" setup-envtest use "$minor.x" -p path 2> /dev/null) && complete "$got"; then
    echo "$got"; exit 0
  fi
  say "setup-envtest cannot download here"
fi

mkdir -p "$dir"
exec 9> "$dir/.lock"
flock 9
complete "$dir" && { echo "$dir"; exit 0; }
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"
x=k8s.io/component-base/version c=k8s.io/client-go/pkg/version v=${version#v}
build() { # output, package, ldflags
  local start=$SECONDS
  say "building $1 (Kubernetes $version; about 8 minutes on 2 cores with an empty cache)"
  (cd "$here" && go build -o "$dir/.$1" -ldflags "$3" "$2") >&2 &
  local pid=$!
  while kill -0 "$pid" 2> /dev/null; do
    sleep 1
    [ $(((SECONDS - start) % 30)) -ne 29 ] || say "building $1: $((SECONDS - start + 1)) s so far"
  done
  wait "$pid"
  mv "$dir/.$1" "$dir/$1"
  say "built $1 in $((SECONDS - start)) s"
}
build controlplane . "-s -w -X $x.gitVersion=$version -X $x.gitMajor=${v%%.*} -X $x.gitMinor=$(cut -d. -f2 <<< "$v") -X $c.gitVersion=$version"
build etcd go.etcd.io/etcd/server/v3 "-s -w"
for n in kube-apiserver kube-controller-manager kube-scheduler kubectl; do ln -sf controlplane "$dir/$n"; done
echo "$dir"
