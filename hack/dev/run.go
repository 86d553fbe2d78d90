package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"vipcloud.ai/vipcloud/hack/dev/samples"
	"vipcloud.ai/vipcloud/test/sim"
)

// simulators serves every simulated vendor on one loopback address until ctx ends.
func simulators(ctx context.Context, taskStep time.Duration) (v *samples.Vendors, wait func() error, err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("opening the simulators' address: %w", err)
	}
	v = &samples.Vendors{Server: sim.NewServer(sim.Options{TaskStep: taskStep}), URL: "http://" + l.Addr().String()}
	var group errgroup.Group
	group.Go(func() error { return sim.Serve(ctx, l, v.Server) })
	return v, group.Wait, nil
}

// freeAddress takes a free loopback port and gives it back, for a program that is told its address.
func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// run serves the samples without Kubernetes.
func run(ctx context.Context, o options, work string) error {
	ctx, cancel := context.WithCancel(ctx)
	vendors, wait, err := simulators(ctx, o.taskStep)
	if err != nil {
		cancel()
		return err
	}
	defer func() { _ = wait() }()
	defer cancel()
	manifests, state := filepath.Join(work, "manifests"), filepath.Join(work, "state")
	if err := samples.Write(manifests, vendors, o.samples); err != nil {
		return err
	}
	g, err := startGateway(ctx, o, "--manifests="+manifests, "--state="+state)
	if err != nil {
		return err
	}
	defer g.stop()
	key, err := keyIn(state)
	if err != nil {
		return err
	}
	return present(ctx, o, g, key)
}

// gatewayProcess is a running gateway.
type gatewayProcess struct {
	*process
	base string
}

// startGateway starts the gateway and waits until it is ready.
func startGateway(ctx context.Context, o options, args ...string) (*gatewayProcess, error) {
	admin, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	listen := o.listen
	if strings.HasSuffix(listen, ":0") {
		if listen, err = freeAddress(ctx); err != nil {
			return nil, err
		}
	}
	args = append([]string{
		"gateway", "--listen=" + listen, "--admin-listen=" + admin, "--drain-delay=0s", "--drain-timeout=5s", "--log-format=text",
	}, args...)
	p, err := startProcess("gateway", os.Stderr, o.binary, args...)
	if err != nil {
		return nil, err
	}
	g := &gatewayProcess{process: p, base: "http://" + listen + "/v1"}
	if err := p.await(ctx, "http://"+admin+"/readyz"); err != nil {
		p.stop()
		return nil, err
	}
	sayf("admin: http://%s (/healthz, /readyz, /metrics)", admin)
	return g, nil
}

// keyIn reads the key that the gateway generated for the sample ApiKey.
func keyIn(state string) (string, error) {
	files, err := filepath.Glob(filepath.Join(state, "*", "quickstart.key"))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("no generated key in %s", state)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		return "", fmt.Errorf("reading the generated key: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}

// present shows how to call the gateway, and then waits for Ctrl-C; with -smoke it calls the gateway itself.
func present(ctx context.Context, o options, g *gatewayProcess, key string) error {
	printUse(g.base, key)
	if o.smoke {
		return smoke(ctx, g.base, key)
	}
	sayf("Ctrl-C ends everything. The vendors are simulated: answers are canned, and no key leaves this machine.")
	select {
	case <-ctx.Done():
	case <-g.exited:
		return fmt.Errorf("gateway ended: %w", g.err)
	}
	return nil
}

// printUse prints what to paste. The export lines can be read by eval.
func printUse(base, key string) {
	fmt.Printf(`export OPENAI_BASE_URL=%[1]s
export OPENAI_API_KEY=%[2]s

# In a shell
curl -N %[1]s/chat/completions \
  -H "Authorization: Bearer %[2]s" \
  -H "Content-Type: application/json" \
  -d '{"model":"deepseek-v4-pro","stream":true,"messages":[{"role":"user","content":"Hello!"}]}'
curl %[1]s/images/generations \
  -H "Authorization: Bearer %[2]s" \
  -H "Content-Type: application/json" \
  -d '{"model":"seedream-4.5","prompt":"a snow leopard"}'

# In Python (pip install openai)
python3 - <<'PY'
from openai import OpenAI
client = OpenAI(base_url="%[1]s", api_key="%[2]s")
for chunk in client.chat.completions.create(
    model="deepseek-v4-pro", stream=True, messages=[{"role": "user", "content": "Hello!"}]
):
    print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
PY

`, base, key)
}
