package chaos_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// replica is a gateway process.
type replica struct {
	w    *world
	base string
	// log is the file that takes everything it says: what it wrote before it was killed is there.
	log    string
	cmd    *exec.Cmd
	exited chan struct{}
}

// start runs another gateway on the world's directories and returns once it serves.
func (w *world) start() *replica {
	w.t.Helper()
	r := &replica{w: w, log: filepath.Join(w.t.TempDir(), "gateway.log"), exited: make(chan struct{})}
	file, err := os.Create(r.log)
	if err != nil {
		w.t.Fatal(err)
	}
	r.cmd = exec.Command(w.binary, "gateway", "--manifests="+w.dir, "--state="+w.state, "--listen=127.0.0.1:0", "--admin-listen=",
		"--drain-delay=0s", "--drain-timeout="+patience.String())
	r.cmd.Stdout, r.cmd.Stderr = file, file
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it must not outlive a test that panics
	if err := r.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		defer close(r.exited)
		_ = r.cmd.Wait() // a killed process is an error of its own
		_ = file.Close()
	}()
	w.t.Cleanup(r.bury)
	w.replicas = append(w.replicas, r)
	w.eventually("the gateway says where it listens", func() bool {
		for _, line := range r.lines("Starting gateway") {
			r.base = "http://" + line.Listen
		}
		return r.base != ""
	})
	w.eventually("the gateway serves", func() bool { return w.status(r, firstKey) == http.StatusOK })
	return r
}

// bury ends the process, and looks at what it said.
func (r *replica) bury() {
	r.kill()
	text, err := os.ReadFile(r.log)
	if err != nil {
		r.w.t.Error(err)
	}
	for _, bad := range []string{"DATA RACE", "panic", "job1_", "fatal error"} {
		if i := bytes.Index(text, []byte(bad)); i >= 0 {
			r.w.t.Errorf("a gateway's log has %q: %.2000s", bad, text[max(0, i-200):])
		}
	}
	if r.w.t.Failed() {
		r.w.t.Logf("log of %s ends: …%s", r.base, text[max(0, len(text)-4000):])
	}
}

// kill ends the process at once, as a lost node does.
func (r *replica) kill() {
	_ = r.cmd.Process.Kill() // it may have ended
	<-r.exited
}

// stop tells the process to end, and waits until it has.
func (r *replica) stop() {
	r.w.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.w.t.Fatal(err)
	}
	select {
	case <-r.exited:
	case <-time.After(patience):
		r.w.t.Fatal("a gateway that was told to end runs on")
	}
}

// logLine is what is looked at of a line.
type logLine struct {
	Msg    string `json:"msg"`
	Listen string `json:"listen"`
	// Of the key ring.
	Keys    int    `json:"keys"`
	Primary uint32 `json:"primary"`
	// Of requests and jobs.
	RequestID string `json:"requestID"`
	Job       string `json:"job"`
	State     string `json:"state"`
	Seconds   int64  `json:"seconds"`
	Images    int64  `json:"images"`
	Cost      string `json:"cost"`
	Currency  string `json:"currency"`
}

// lines returns the lines of a message so far.
func (r *replica) lines(message string) []logLine {
	r.w.t.Helper()
	text, err := os.ReadFile(r.log)
	if err != nil {
		r.w.t.Fatal(err)
	}
	var out []logLine
	for line := range strings.SplitSeq(string(text), "\n") {
		var l logLine
		if strings.Contains(line, message) && json.Unmarshal([]byte(line), &l) == nil && l.Msg == message {
			out = append(out, l)
		}
	}
	return out
}
