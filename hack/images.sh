#!/usr/bin/env bash
# Prints every image that an installation of the chart runs, one on a line, for a registry without access to the world. Arguments
# go to helm template: hack/images.sh --set image.registry=registry.example.com
set -euo pipefail
cd "$(dirname "$0")/.."
# What the operator runs stands in its arguments and in the objects that it makes, not in the pods of the chart alone.
hack/tool.sh helm template vipcloud charts/vipcloud --namespace vipcloud-system "$@" |
  sed -nE -e 's/^[[:space:]]*-?[[:space:]]*image:[[:space:]]*"?([^"[:space:]]+)"?[[:space:]]*$/\1/p' -e 's/^[[:space:]]*-[[:space:]]*"?--gateway-image=([^"[:space:]]+)"?[[:space:]]*$/\1/p' |
  sort -u
