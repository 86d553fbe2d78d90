#!/usr/bin/env bash
# Writes the project's container image as an archive, without Docker and without a registry, from what the Dockerfile says: its build
# stage's RUN line is run here, and its last stage's labels, files, user and entrypoint are put onto scratch (the base image named
# there holds nothing that a static binary needs but the certificate authorities).
# Usage: hack/image.sh ARCHIVE NAME:TAG VERSION [CHECKOUT]
set -euo pipefail
archive=${1:?usage: hack/image.sh ARCHIVE NAME:TAG VERSION [CHECKOUT]} name=${2:?} version=${3:?}
hack=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
archive=$(cd "$(dirname "$archive")" && pwd)/$(basename "$archive")
cd "${4:-$hack/..}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One instruction a line, without comments.
sed -e '/^[[:space:]]*#/d' -e ':a' -e '/\\$/{N;s/\\\n[[:space:]]*//;ta' -e '}' Dockerfile > "$work/dockerfile"
stage() { awk -v last="$1" '/^FROM /{n++; f[n] = ""} {f[n] = f[n] $0 "\n"} END {printf "%s", last ? f[n] : f[n - 1]}' "$work/dockerfile"; }
one() { # stage, instruction, pattern: what the one such instruction says
  local found
  found=$(stage "$1" | sed -n "s/^$2 //p" | grep -E "$3") || { echo "hack/image.sh: the Dockerfile has no $2 that says $3" >&2; return 1; }
  [ "$(wc -l <<< "$found")" = 1 ] || { echo "hack/image.sh: the Dockerfile has several $2 that say $3" >&2; return 1; }
  echo "$found"
}
build=$(one 0 RUN 'go build .* -o /vipcloud ' | sed 's/--mount=[^ ]* *//g')
user=$(one 1 USER .)
entrypoint=$(one 1 ENTRYPOINT '^\["[^",]*"\]$' | sed 's/^\["//; s/"\]$//')
one 1 COPY '^--from=build /vipcloud /vipcloud$' > /dev/null
labels=()
while IFS= read -r label; do
  labels+=(-label "$label")
done < <(stage 1 | sed -n 's/^LABEL //p' | VERSION=$version awk '{while (match($0, /[a-z.]+="[^"]*"/)) {
  l = substr($0, RSTART, RLENGTH); gsub(/"/, "", l); sub(/\$\{VERSION\}/, ENVIRON["VERSION"], l); print l; $0 = substr($0, RSTART + RLENGTH)}}')

TARGETOS=linux TARGETARCH=$(go env GOARCH) VERSION=$version bash -euo pipefail -c "${build//-o \/vipcloud /-o $work/vipcloud }" >&2
"$hack/tool.sh" mkimage -o "$archive" -name "$name" -user "$user" -entrypoint "$entrypoint" "${labels[@]}" "$work/vipcloud=/vipcloud"
