package cluster_test

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program that was started.
type process struct {
	w      *world
	log    string
	cmd    *exec.Cmd
	exited chan struct{}
}

// start starts a program, whose output goes to a file that is there after it was killed.
func (w *world) start(name string, args ...string) *process {
	w.t.Helper()
	p := &process{w: w, log: filepath.Join(w.t.TempDir(), "log"), exited: make(chan struct{})}
	file, err := os.Create(p.log)
	if err != nil {
		w.t.Fatal(err)
	}
	p.cmd = exec.Command(name, args...)
	p.cmd.Stdout, p.cmd.Stderr = file, file
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it must not outlive a test that panics
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // a killed process is an error of its own
		_ = file.Close()
	}()
	w.t.Cleanup(func() {
		p.kill()
		if text := p.text(); w.t.Failed() {
			w.t.Logf("log of %v ends: …%s", args[:1], text[max(0, len(text)-3000):])
		}
	})
	return p
}

// text is what it has said so far.
func (p *process) text() []byte {
	p.w.t.Helper()
	text, err := os.ReadFile(p.log)
	if err != nil {
		p.w.t.Error(err)
	}
	return text
}

// kill ends the process as a lost node does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.exited
}

// stop tells the process to end, and waits until it has.
func (p *process) stop() {
	p.w.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.w.t.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.w.t.Fatal("a process that was told to end runs on")
	}
}

// replica is a gateway.
type replica struct {
	*process
	name, base, admin string
}

// gateway starts a replica and returns once it is ready.
func (w *world) gateway(name string) *replica {
	w.t.Helper()
	admin := w.freeAddress()
	r := &replica{name: name, admin: "http://" + admin, process: w.start(w.binary, "gateway", "--instance="+system+"/default", "--kubeconfig="+w.kubeconfig,
		"--replica-name="+name, "--listen=127.0.0.1:0", "--admin-listen="+admin, "--drain-delay=0s", "--drain-timeout=30s")}
	w.replicas = append(w.replicas, r)
	w.eventually(name+" says where it listens", func() bool {
		for _, line := range r.lines("Starting gateway") {
			r.base = "http://" + line.Listen
		}
		return r.base != ""
	})
	w.eventually(name+" is ready", func() bool { return w.status(r.admin+"/readyz") == http.StatusOK })
	return r
}

// operator starts the operator and returns once it is ready.
func (w *world) operator() *process {
	w.t.Helper()
	health := w.freeAddress()
	p := w.start(w.binary, "operator", "--kubeconfig="+w.kubeconfig, "--namespace="+system, "--gateway-image=vipcloud:test", "--health-listen="+health,
		"--metrics-listen=0")
	w.eventually("the operator is ready", func() bool { return w.status("http://"+health+"/readyz") == http.StatusOK })
	return p
}

// status asks without a key.
func (w *world) status(url string) int {
	resp, err := w.http.Get(url)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// freeAddress is one that nobody listens on now.
func (w *world) freeAddress() string {
	w.t.Helper()
	l, err := (&net.ListenConfig{}).Listen(w.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// logLine is what is looked at of a line.
type logLine struct {
	Msg        string    `json:"msg"`
	Time       time.Time `json:"time"`
	Listen     string    `json:"listen"`
	RequestID  string    `json:"requestID"`
	Key        string    `json:"key"`
	Outcome    string    `json:"outcome"`
	Prompt     int64     `json:"promptTokens"`
	Completion int64     `json:"completionTokens"`
	Estimated  bool      `json:"usageEstimated"`
	Cost       string    `json:"cost"`
}

// lines returns the lines of a message so far.
func (p *process) lines(message string) []logLine {
	p.w.t.Helper()
	var out []logLine
	for line := range strings.SplitSeq(string(p.text()), "\n") {
		var l logLine
		if strings.Contains(line, message) && json.Unmarshal([]byte(line), &l) == nil && l.Msg == message {
			out = append(out, l)
		}
	}
	return out
}

// apiServer is the API server's process, which is started again with the same arguments after it was killed.
type apiServer struct {
	w    *world
	args []string
	pid  int
	own  *process
}

// findAPIServer finds the process that the test environment has started: a child of this one.
func (w *world) findAPIServer() *apiServer {
	w.t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, dir := range dirs {
		stat, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := bytes.Cut(stat, []byte(") "))
		fields := strings.Fields(string(rest))
		if len(fields) < 2 || fields[1] != strconv.Itoa(os.Getpid()) || !bytes.Contains(stat, []byte("(kube-apiserver)")) {
			continue
		}
		line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		pid, errPid := strconv.Atoi(filepath.Base(dir))
		if err != nil || errPid != nil {
			continue
		}
		return &apiServer{w: w, args: strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00"), pid: pid}
	}
	w.t.Fatal("the API server's process is not found")
	return nil
}

// kill ends the API server.
func (a *apiServer) kill() {
	a.w.t.Helper()
	if a.own != nil {
		a.own.kill()
		return
	}
	if err := syscall.Kill(a.pid, syscall.SIGKILL); err != nil {
		a.w.t.Fatal(err)
	}
}

// restart starts it again and returns once it answers.
func (a *apiServer) restart() {
	a.w.t.Helper()
	a.own = a.w.start(a.args[0], a.args[1:]...)
	a.w.view()
}
