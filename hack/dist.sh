#!/usr/bin/env bash
# make dist: what a release consists of, beside the image, in dist/. VERSION is a tag such as v0.1.0, which the charts carry
# without its v. The same source and version give the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${VERSION:?VERSION is not set}
chart_version=${version#v}
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || echo 0)}
export SOURCE_DATE_EPOCH=$epoch
rm -rf dist
mkdir -p dist
for arch in amd64 arm64; do
  make -s build VERSION="$version" OUT="dist/vipcloud-linux-$arch" GOOS=linux GOARCH="$arch"
done
hack/tool.sh bom licences > /dev/null
hack/tool.sh bom notices > dist/THIRD_PARTY_LICENCES.txt
hack/tool.sh bom sbom "$version" > dist/vipcloud.cdx.json
cat config/crd/bases/*.yaml > dist/crds.yaml
if [[ $chart_version =~ ^[0-9]+\.[0-9]+\.[0-9]+ ]]; then
  for chart in vipcloud vipcloud-crds; do
    hack/tool.sh helm package "charts/$chart" --version "$chart_version" --app-version "$version" --destination dist > /dev/null
  done
else
  echo "dist.sh: $version is no version of a chart, so there are no charts" >&2
fi
hack/images.sh --set "image.tag=$version" > dist/images.txt
(cd dist && find . -type f ! -name SHA256SUMS -printf '%P\0' | sort -z | xargs -0 sha256sum > SHA256SUMS)
cat dist/SHA256SUMS
