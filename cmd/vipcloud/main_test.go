package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// lintBudget is what linking the linter may cost every other command at its start.
const lintBudgetMs = 3.0

// dependencies asks the toolchain.
func dependencies(t *testing.T, packages ...string) map[string]bool {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps"}, packages...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		deps[strings.TrimSpace(line)] = true
	}
	return deps
}

func TestGateway_paysNothingAtItsStartForWhatOnlyLintNeeds(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "vipcloud")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	others := dependencies(t, "vipcloud.ai/vipcloud/gateway/...", "vipcloud.ai/vipcloud/controllers/...", "github.com/spf13/cobra",
		"sigs.k8s.io/controller-runtime/pkg/metrics/filters")
	least := 1e9
	for range 5 { // the least of several runs: noise only ever adds
		cmd := exec.CommandContext(t.Context(), binary, "version")
		cmd.Env = append(cmd.Environ(), "GODEBUG=inittrace=1")
		var trace bytes.Buffer
		cmd.Stderr = &trace
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		least = min(least, initTime(t, trace.String(), func(pkg string) bool { return !others[pkg] && pkg != "main" }))
	}
	t.Logf("packages that only lint needs take %.2f ms to initialise", least)
	if least > lintBudgetMs {
		t.Errorf("linking lint costs every start %.2f ms, more than %.0f ms: give lint a binary of its own", least, lintBudgetMs)
	}
}

// initTime adds up the lines "init PACKAGE @… ms, 0.12 ms clock, …".
func initTime(t *testing.T, trace string, counts func(pkg string) bool) float64 {
	t.Helper()
	total, lines := 0.0, 0
	for line := range strings.Lines(trace) {
		f := strings.Fields(line)
		if len(f) < 6 || f[0] != "init" {
			continue
		}
		lines++
		ms, err := strconv.ParseFloat(f[4], 64)
		if err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		if counts(f[1]) {
			total += ms
		}
	}
	if lines == 0 {
		t.Fatal("the runtime printed no trace")
	}
	return total
}

func TestFlags_areRefusedWithAdvice(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"gateway without a source":           {args: []string{"gateway"}, want: "--manifests DIR with --state DIR"},
		"gateway with half a source":         {args: []string{"gateway", "--manifests=x"}, want: "--state DIR"},
		"gateway with a bad level":           {args: []string{"gateway", "--manifests=x", "--state=y", "--log-level=loud"}, want: "debug, info, warn or error"},
		"gateway with a bad format":          {args: []string{"gateway", "--manifests=x", "--state=y", "--log-format=xml"}, want: "json or text"},
		"gateway with a bad address":         {args: []string{"gateway", "--manifests=x", "--state=y", "--listen=nowhere"}, want: "--listen nowhere"},
		"gateway with a bad instance":        {args: []string{"gateway", "--instance=default", "--listen=127.0.0.1:0", "--admin-listen="}, want: "namespace/name"},
		"operator without an image":          {args: []string{"operator"}, want: "--gateway-image"},
		"operator with metrics for everyone": {args: []string{"operator", "--gateway-image=x", "--metrics-insecure"}, want: "loopback"},
	} {
		t.Run(name, func(t *testing.T) {
			root := newRootCommand()
			root.SetArgs(tc.args)
			err := root.ExecuteContext(t.Context())
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one that says %q", err, tc.want)
			}
		})
	}
}
