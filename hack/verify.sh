#!/usr/bin/env bash
# make verify. Three phases: regenerate what is generated; check without changing anything; fail if a generated file differs
# from what git knows, or is not known to it. Stage your changes before you run it.
# Every check runs, whatever the others found. A check that cannot run here prints "SKIPPED name: reason".
set -uo pipefail
cd "$(dirname "$0")/.."
generated=(api/v1alpha1/zz_generated.deepcopy.go config/crd/bases config/rbac/role.yaml charts docs/metrics.md)
failed=()

check() { # name, command…
  local name=$1 start=$SECONDS
  shift
  echo "--- $name"
  if "$@"; then
    echo "    ok: $name ($((SECONDS - start)) s)"
  else
    echo "    FAILED: $name ($((SECONDS - start)) s)"
    failed+=("$name")
  fi
}

shell_scripts() {
  local script status=0
  while IFS= read -r script; do
    case $(head -c 20 "$script") in
      '#!'*bash*) bash -n "$script" || status=1 ;;
      '#!'*) echo "$script: not a bash script"; status=1 ;;
    esac
  done < <(git ls-files --cached --others --exclude-standard -- '*.sh' .ci/run | while IFS= read -r file; do [ -f "$file" ] && echo "$file"; done)
  return "$status"
}

# The module that is shipped. Those of tools and of the control plane list what their builds need, and -mod=readonly holds
# them to it; what their tests would need is nobody's business here.
tidy() {
  go mod tidy -diff
}

vulnerabilities() {
  local output status=0
  output=$(timeout 600 hack/tool.sh govulncheck ./cmd/... 2>&1) || status=$?
  case $status in
    0 | 3) echo "$output"; return "$status" ;; # 3: it found some
  esac
  if grep -qE 'fetching vulnerabilities|dial tcp|no such host|timeout' <<< "$output" || [ "$status" = 124 ]; then
    echo "SKIPPED govulncheck: its database does not answer"
    return 0
  fi
  echo "$output"
  return "$status"
}

current() {
  local status=0 untracked
  git diff --exit-code --stat -- "${generated[@]}" || { echo "generated files differ from the index: stage what make generate manifests charts metrics wrote"; status=1; }
  untracked=$(git ls-files --others --exclude-standard -- "${generated[@]}")
  [ -z "$untracked" ] || { echo "generated files unknown to git:"; echo "$untracked"; status=1; }
  return "$status"
}

echo "=== 1/3 regenerate"
check "generate" make generate
check "manifests" make manifests
check "charts" make charts
check "metrics page" make metrics

echo "=== 2/3 check"
check "go vet" go vet ./...
check "golangci-lint" make lint
check "import rules" make test-importrules
check "packaging" make test-packaging
check "shell scripts" shell_scripts
check "go mod tidy" tidy
check "govulncheck" vulnerabilities
check "licences" make licences
check "licence check" bash -c 'cd hack/tools/bom && go test ./...'
check "workflows" make lint-workflows

echo "=== 3/3 generated files are current"
check "generated files" current

if [ ${#failed[@]} -gt 0 ]; then
  printf 'verify FAILED: %s\n' "${failed[@]}"
  exit 1
fi
echo "verify: everything is in order"
