#!/usr/bin/env bash
# Prints what CHANGELOG.md says of a version, and what docs/upgrading.md says of upgrading to it: hack/release-notes.sh v0.1.0
# Fails if the changelog does not know it.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:?usage: hack/release-notes.sh VERSION}
section() { # file, level of its headings, title in brackets or without
  awk -v mark="$2 " -v title="$3" '
    index($0, mark) == 1 { t = substr($0, length(mark) + 1); gsub(/[][]/, "", t); sub(/ - .*/, "", t); on = (t == title || t == "v" title || "v" t == title); next }
    on && index($0, substr(mark, 1, length(mark) - 1)) == 1 && substr($0, 1, 3) == "## " { on = 0 }
    on { print }' "$1"
}
notes=$(section CHANGELOG.md '##' "$version")
[ -n "${notes//[[:space:]]/}" ] || { echo "release-notes.sh: CHANGELOG.md has no section ## $version" >&2; exit 1; }
printf '%s\n' "$notes"
upgrade=$(section docs/upgrading.md '###' "$version")
[ -z "${upgrade//[[:space:]]/}" ] || printf '\n## Upgrading\n%s\n' "$upgrade"
