// Package chaos_test runs gateways as processes of their own, ends them in the worst moments, rotates keys under them and lets the
// vendor fail in between. Then it compares what clients know, what the gateways' logs charge, and what the vendor bills.
package chaos_test

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestChaos builds the gateway once. Each scenario has a vendor, directories and processes of its own.
func TestChaos(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "vipcloud")
	args := []string{"build", "-o", binary}
	if raceEnabled {
		args = append(args, "-race") // what the detector finds in a gateway ends up in its log, which every scenario looks at
	}
	build := exec.CommandContext(t.Context(), "go", append(args, "vipcloud.ai/vipcloud/cmd/vipcloud")...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the gateway: %v\n%s", err, out)
	}
	for name, scenario := range map[string]func(*world){
		"a job outlives the only gateway":                         killBetweenSubmitAndPoll,
		"another replica answers for one that was killed":         killAmongSubmits,
		"another replica answers for one that was told to end":    swapReplicas,
		"keys of clients and of job ids are rotated in the rush":  rotateKeys,
		"replicas that rotate a key at once make one key":         rotateGenerated,
		"vendors fail, clients vanish and repeat":                 storm,
		"what some calls of an image request made is what counts": pictures,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scenario(newWorld(t, binary))
		})
	}
}
