package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// benchKey is a key of the benchmark's own; only its hash is in the manifests.
const benchKey = "vc-sk-benchbenchbenchbenchbenchbenchbenchbench"

// startTimeout bounds how long a contender may take to listen.
const startTimeout = 30 * time.Second

// contender is something that passes requests on.
type contender struct {
	name, url string
	cmd       *exec.Cmd
}

// bench is a run of the benchmark.
type bench struct {
	ctx        context.Context //nolint:containedctx // one run of the program
	dir, self  string
	processes  []*exec.Cmd
	contenders []*contender
	skipped    []string
}

// launch starts a process that ends with this one.
func (b *bench) launch(path string, args ...string) (*exec.Cmd, error) {
	cmd := exec.CommandContext(b.ctx, path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := os.OpenFile(filepath.Join(b.dir, filepath.Base(path)+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening log: %w", err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	b.processes = append(b.processes, cmd)
	return cmd, nil
}

// stop ends all processes.
func (b *bench) stop() {
	for _, p := range b.processes {
		_ = p.Process.Signal(syscall.SIGTERM)
	}
	for _, p := range b.processes {
		done := make(chan struct{})
		go func() { defer close(done); _ = p.Wait() }()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			_ = p.Process.Kill()
			<-done
		}
	}
}

// end ends one process before the others.
func (b *bench) end(cmd *exec.Cmd) {
	b.processes = slices.DeleteFunc(b.processes, func(p *exec.Cmd) bool { return p == cmd })
	_ = cmd.Process.Kill() // it may have ended
	_ = cmd.Wait()         // with an error, since it was killed
}

// freePort finds a free loopback address.
func freePort(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// listening waits until an address takes connections.
func listening(ctx context.Context, address string) error {
	deadline := time.Now().Add(startTimeout)
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waiting for %s: %w", address, err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// setup starts the upstream and all contenders.
func (b *bench) setup(binary string) error {
	var addresses [4]string
	for i := range addresses {
		var err error
		if addresses[i], err = freePort(b.ctx); err != nil {
			return err
		}
	}
	up := addresses[0]
	if _, err := b.launch(b.self, "upstream", up); err != nil {
		return err
	}
	if err := listening(b.ctx, up); err != nil {
		return err
	}
	b.contenders = append(b.contenders, &contender{name: "direct", url: "http://" + up})
	proxy, err := b.launch(b.self, "reverseproxy", addresses[1], "http://"+up)
	if err != nil {
		return err
	}
	b.contenders = append(b.contenders, &contender{name: "httputil.ReverseProxy", url: "http://" + addresses[1], cmd: proxy})
	gateway, err := b.gateway(binary, addresses[2], up)
	if err != nil {
		return err
	}
	b.contenders = append(b.contenders, &contender{name: "vipcloud", url: "http://" + addresses[2], cmd: gateway})
	nginx, err := b.nginx(addresses[3], up)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		b.skipped = append(b.skipped, "SKIPPED nginx: no nginx on this machine (Debian package nginx)")
	case err != nil:
		return err
	default:
		b.contenders = append(b.contenders, &contender{name: "nginx", url: "http://" + addresses[3], cmd: nginx})
	}
	for _, c := range b.contenders {
		if err := listening(b.ctx, c.url[len("http://"):]); err != nil {
			return fmt.Errorf("starting %s: %w", c.name, err)
		}
	}
	return b.serving()
}

// serving waits until every contender passes a request on.
func (b *bench) serving() error {
	for _, c := range b.contenders {
		deadline := time.Now().Add(startTimeout)
		for {
			_, err := call(b.ctx, http.DefaultClient, c.url, request("bench", 100, false)) //nolint:forbidigo // a probe
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("waiting for %s to serve: %w", c.name, err)
			}
			<-time.After(50 * time.Millisecond)
		}
	}
	return nil
}

// gateway starts vipcloud on manifests of its own: authentication, routing, usage, metrics and the access log are on.
func (b *bench) gateway(binary, address, up string) (*exec.Cmd, error) {
	return b.gatewayOn(b.dir, binary, address, gatewayManifests(up))
}

// gatewayOn starts vipcloud on manifests, which are kept in a directory.
func (b *bench) gatewayOn(dir, binary, address, objects string) (*exec.Cmd, error) {
	manifests, state := filepath.Join(dir, "manifests"), filepath.Join(dir, "state")
	if err := os.MkdirAll(manifests, 0o700); err != nil {
		return nil, fmt.Errorf("making the manifests' directory: %w", err)
	}
	if err := os.WriteFile(filepath.Join(manifests, "bench.yaml"), []byte(objects), 0o600); err != nil {
		return nil, fmt.Errorf("writing manifests: %w", err)
	}
	return b.launch(binary, "gateway", "--manifests="+manifests, "--state="+state, "--listen="+address, "--admin-listen=")
}

// nginx starts nginx with the settings of a streaming proxy.
func (b *bench) nginx(address, up string) (*exec.Cmd, error) {
	path, err := exec.LookPath("nginx")
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller looks for exec.ErrNotFound
	}
	config := filepath.Join(b.dir, "nginx.conf")
	if err := os.WriteFile(config, []byte(nginxConfig(b.dir, address, up)), 0o600); err != nil {
		return nil, fmt.Errorf("writing nginx.conf: %w", err)
	}
	return b.launch(path, "-c", config, "-e", filepath.Join(b.dir, "nginx-error.log"))
}
