package main

import (
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

func TestLargeAnswers_stayWithinTheirBound(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" {
		t.Skip("needs a gateway, some seconds, and /proc")
	}
	binary := filepath.Join(t.TempDir(), "vipcloud")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "vipcloud.ai/vipcloud/cmd/vipcloud")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the gateway: %v\n%s", err, out)
	}
	up := httptest.NewServer(mediaUpstream())
	defer up.Close()
	b := &bench{ctx: t.Context(), dir: t.TempDir()}
	defer b.stop()
	for _, s := range largeScenarios() {
		t.Run(s.name, func(t *testing.T) {
			if err := b.large(s, binary, up.Listener.Addr().String(), 16); err != nil {
				t.Error(err)
			}
		})
	}
}
