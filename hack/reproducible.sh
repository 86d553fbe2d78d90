#!/usr/bin/env bash
# Builds the binary twice for each architecture, in two folders and with two caches, and compares. The second cache is empty, so
# this takes as long as two builds of everything do.
#   hack/reproducible.sh [ARCH…]      default: amd64 arm64
set -euo pipefail
cd "$(dirname "$0")/.."
version=${VERSION:-$(git describe --tags --always --dirty 2> /dev/null || echo dev)}
[ $# -gt 0 ] || set -- amd64 arm64
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
mkdir -p "$work/somewhere else"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  [ ! -f "$file" ] || printf '%s\0' "$file"
done | tar -c --null -T - | tar -x -C "$work/somewhere else"

build() { # folder, output
  make -s -C "$1" build VERSION="$version" OUT="$2" GOARCH="$arch" GOOS=linux
}

status=0
for arch in "$@"; do
  build . "$work/first-$arch"
  GOCACHE=$work/cache build "$work/somewhere else" "$work/second-$arch"
  if cmp "$work/first-$arch" "$work/second-$arch"; then
    echo "linux/$arch: $(sha256sum < "$work/first-$arch" | cut -d' ' -f1), twice"
  else
    echo "linux/$arch: two builds differ" >&2
    status=1
  fi
done
exit "$status"
