#!/usr/bin/env bash
# Runs a development tool at the version pinned by its module under hack/tools, for instance
#   hack/tool.sh controller-gen --version
# The tool is built once, into a cache outside the checkout, in which old versions lie beside new ones.
#   hack/tool.sh --path NAME     prints where the binary is instead of running it
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
only_path=
[ "${1:-}" = --path ] && { only_path=1; shift; }
name=${1:?usage: hack/tool.sh [--path] NAME [ARGS…]}
shift
module=$here/tools/$name
if [ ! -f "$module/go.mod" ]; then
  echo "tool.sh: no tool $name; there are: $(cd "$here/tools" && echo *)" >&2
  exit 2
fi

cache=${VIPCLOUD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vipcloud}/tools
digest=$({ go env GOVERSION GOOS GOARCH; cat "$module"/*; } | git hash-object --stdin | cut -c1-12)
binary=$cache/$name-$digest

if [ ! -x "$binary" ]; then
  mkdir -p "$cache"
  # A tool whose source is in its module is package main there; else the module names it in a tool directive.
  # A file "tags" beside go.mod holds build tags, for tools of which a part is enough.
  tags=
  [ ! -f "$module/tags" ] || tags=" -tags=$(cat "$module/tags")"
  package=.
  [ -f "$module/main.go" ] || package=$(cd "$module" && GOFLAGS="-mod=readonly$tags" go list -f '{{.ImportPath}}' tool)
  echo "tool.sh: building $name (once; golangci-lint and helm take minutes)" >&2
  # Built under a name of its own and moved, so that two makes at once do not run half a file.
  partial=$binary.$$
  trap 'rm -f "$partial"' EXIT
  (cd "$module" && GOFLAGS="-mod=readonly$tags" CGO_ENABLED=0 nice go build -buildvcs=false -trimpath -o "$partial" "$package") >&2
  mv "$partial" "$binary"
  trap - EXIT
fi

if [ -n "$only_path" ]; then
  echo "$binary"
else
  exec "$binary" "$@"
fi
