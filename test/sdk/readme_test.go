package sdk_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// shellBlock is a block of commands in the README.
var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// scriptTimeout bounds all commands of the README together; the jobs take their time.
const scriptTimeout = 2 * time.Minute

// TestREADME_commandsSaveFilesThatOpen runs the README's commands for each kind of model as they stand there: against a gateway of this process,
// or against the one that hack/dev runs, if test/conformance/run.sh has started it.
func TestREADME_commandsSaveFilesThatOpen(t *testing.T) {
	needTools(t, "bash", "curl", "python3", "base64")
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## One command for each kind of model\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var script strings.Builder
	for _, block := range shellBlock.FindAllStringSubmatch(section, -1) {
		script.WriteString(block[1])
	}
	dir := t.TempDir()
	runScript(t, dir, script.String())
	for name, kind := range map[string]string{"image.jpg": "jpeg", "speech.mp3": "mp3", "video.mp4": "mp4", "song.mp3": "mp3"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("the commands do not save %s: %v", name, err)
			continue
		}
		wantOpens(t, data, kind)
		wantPlays(t, filepath.Join(dir, name))
	}
}

// TestREADME_whatRunPrintsWorks runs the curl commands that hack/dev prints.
func TestREADME_whatRunPrintsWorks(t *testing.T) {
	file := os.Getenv("CONFORMANCE_PRINTED")
	if file == "" {
		t.Skip("only test/conformance/run.sh has what is printed")
	}
	needTools(t, "bash", "curl")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	shell, _, found := strings.Cut(string(text), "# In Python")
	out := runScript(t, t.TempDir(), shell)
	if !found || !strings.Contains(out, "data: [DONE]") || !strings.Contains(out, `"url":`) {
		t.Errorf("the commands print %s", out)
	}
}

// needTools skips a test on a machine without the commands that it runs.
func needTools(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed", name)
		}
	}
}

// runScript runs commands in a shell that has the address of a gateway and a key.
func runScript(t *testing.T, dir, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), scriptTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = dir, os.Environ()
	if os.Getenv("CONFORMANCE_ADMIN_URL") == "" {
		w := newWorld(t, catalog)
		cmd.Env = append(cmd.Env, "OPENAI_BASE_URL="+w.base, "OPENAI_API_KEY="+w.keys["environment"])
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the commands fail: %v\n%s", err, out)
	}
	return string(out)
}

// wantPlays asks a real player's parser, where there is one, whether a file opens.
func wantPlays(t *testing.T, name string) {
	t.Helper()
	probe, err := exec.LookPath("ffprobe")
	if err != nil {
		return
	}
	out, err := exec.CommandContext(t.Context(), probe, "-v", "error", "-show_entries", "stream=codec_type", name).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "codec_type=") {
		t.Errorf("%s does not open: %v\n%s", filepath.Base(name), err, out)
	}
}
