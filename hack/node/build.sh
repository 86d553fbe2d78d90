#!/usr/bin/env bash
# Prints the directories that hold what a node is made of, separated by a colon, and makes them first if need be:
#   - kube-apiserver, etcd, kubectl, …: those of ../controlplane/assets.sh;
#   - kubelet and kube-proxy, from the same module; containerd, its shim, ctr and CoreDNS, from the modules beside this script;
#     pause, as an image.
# runc, the CNI plugins and nft are Debian's: as root they are installed if they are missing.
# Built once, into a cache outside the checkout. Progress goes to standard error.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"
say() { echo "node: $*" >&2; }

packages=(runc containernetworking-plugins nftables)
if ! { command -v runc && command -v nft && [ -x "$NODE_CNI/bridge" ]; } > /dev/null; then
  say "installing ${packages[*]}"
  install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}")
  "${install[@]}" > /dev/null 2>&1 || { apt-get update -qq && "${install[@]}"; } > /dev/null 2>&1 ||
    { say "apt-get cannot install ${packages[*]}"; exit 1; }
fi

assets=$("$here/../controlplane/assets.sh" full)
digest=$({ go env GOVERSION GOARCH; cat "$here"/../controlplane/go.* "$here"/../controlplane/node/* "$here"/{containerd,coredns}/go.* \
  "$here"/{coredns,pause}/main.go "$here"/../tools/mkimage/*; } | sha256sum | cut -c1-12)
dir=$cache/node-$digest
need=(kubelet kube-proxy containerd containerd-shim-runc-v2 ctr coredns pause.tar)
complete() { local n; for n in "${need[@]}"; do [ -e "$dir/$n" ] || return 1; done; }
complete && { echo "$dir:$assets"; exit 0; }

mkdir -p "$dir"
exec 9> "$dir/.lock"
flock 9
export GOFLAGS="${GOFLAGS:-} -buildvcs=false -mod=readonly"
build() { # file, minutes with an empty cache, module, package, go build's other arguments…
  local file=$1 minutes=$2 module=$3 package=$4 start=$SECONDS pid status=0
  shift 4
  [ ! -e "$dir/$file" ] || return 0
  say "building $file (about $minutes min on 2 cores with an empty cache)"
  (cd "$module" && nice go build -ldflags "-s -w" -o "$dir/.$file" "$@" "$package") >&2 9>&- &
  pid=$!
  while kill -0 "$pid" 2> /dev/null; do
    sleep 1
    [ $(((SECONDS - start) % 30)) -ne 29 ] || say "building $file: $((SECONDS - start + 1)) s so far"
  done
  wait "$pid" || status=$?
  [ "$status" = 0 ] || { say "building $file failed"; return "$status"; }
  mv "$dir/.$file" "$dir/$file"
  say "built $file in $((SECONDS - start)) s"
}
# With Go's default for cgo, like the control plane, most of whose packages it shares.
build node 3 "$here/../controlplane" ./node
ln -sf node "$dir/kubelet"
ln -sf node "$dir/kube-proxy"
export CGO_ENABLED=0
tags=no_btrfs,no_zfs,no_devmapper,no_aufs,netgo,osusergo
for command in containerd containerd-shim-runc-v2 ctr; do
  build $command 4 "$here/containerd" github.com/containerd/containerd/v2/cmd/$command -trimpath -tags "$tags"
done
build coredns 3 "$here/coredns" . -trimpath
build pause 1 "$root" ./hack/node/pause -trimpath
"$here/../tool.sh" mkimage -o "$dir/.pause.tar" -name "$NODE_PAUSE" -entrypoint /pause "$dir/pause=/pause" >&2
mv "$dir/.pause.tar" "$dir/pause.tar"
echo "$dir:$assets"
