package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Waits of the dev commands.
const (
	readyTimeout = 60 * time.Second
	stopTimeout  = 15 * time.Second
	pollInterval = 100 * time.Millisecond
)

// process is a program that was started and must not outlive this one.
type process struct {
	name   string
	cmd    *exec.Cmd
	exited chan struct{}
	err    error
}

// startProcess starts a program in a process group of its own, so that Ctrl-C reaches only us and we end it in order.
func startProcess(name string, log io.Writer, path string, args ...string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(path, args...), exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		defer close(p.exited)
		p.err = p.cmd.Wait()
	}()
	return p, nil
}

// stop ends the program and waits for that.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// await waits until the program answers an HTTP probe with 200.
func (p *process) await(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	return p.until(ctx, "ready", func() bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false
		}
		resp, err := (&http.Client{}).Do(req)
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// until polls, and gives up when the program ends.
func (p *process) until(ctx context.Context, what string, done func() bool) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for !done() {
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended before it was %s: %w", p.name, what, p.err)
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s to be %s: %w", p.name, what, ctx.Err())
		case <-ticker.C:
		}
	}
	return nil
}

// sayf tells the user what is going on, beside the output that is meant to be used.
func sayf(format string, args ...any) { fmt.Fprintf(os.Stderr, "# "+format+"\n", args...) }
