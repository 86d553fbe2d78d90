package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"vipcloud.ai/vipcloud/hack/dev/samples"
)

const (
	systemNamespace = "vipcloud-system"
	operatorAccount = "vipcloud-operator"
	gatewayAccount  = "vipcloud-default"
	demoReplica     = "demo"
	conditionWait   = "90s"
)

// errNoAssets says how to get the control plane.
var errNoAssets = errors.New("KUBEBUILDER_ASSETS is not set; use make demo, which finds or builds the control plane")

// demo serves the samples through a real API server: the operator and the gateway run as processes under their own accounts.
func demo(ctx context.Context, o options, work string) error {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		return errNoAssets
	}
	ctx, cancel := context.WithCancel(ctx)
	vendors, wait, err := simulators(ctx, o.taskStep)
	if err != nil {
		cancel()
		return err
	}
	defer func() { _ = wait() }()
	defer cancel()
	cluster, err := startCluster(ctx, assets, work)
	if err != nil {
		return err
	}
	defer cluster.stop()
	operator, err := cluster.install(ctx, o)
	if err != nil {
		return err
	}
	defer operator.stop()
	if err := cluster.applySamples(ctx, o.samples, vendors); err != nil {
		return err
	}
	g, err := cluster.runGateway(ctx, o)
	if err != nil {
		return err
	}
	defer g.stop()
	key, err := cluster.show(ctx)
	if err != nil {
		return err
	}
	return present(ctx, o, g, key)
}

// install applies config/default as an admin would, and runs the operator under the account that it brings.
func (c *cluster) install(ctx context.Context, o options) (*process, error) {
	sayf("installing config/default: CRDs, accounts, rights, operator")
	if err := c.kubectl(ctx, "apply", "--server-side", "-k", "config/default"); err != nil {
		return nil, err
	}
	if err := c.kubectl(ctx, "wait", "--for=condition=Established", "--timeout="+conditionWait, "crd",
		"-l", "app.kubernetes.io/part-of=vipcloud"); err != nil {
		return nil, err
	}
	kubeconfig, err := c.kubeconfigOf(ctx, systemNamespace, operatorAccount)
	if err != nil {
		return nil, err
	}
	health, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	sayf("starting the operator as system:serviceaccount:%s:%s", systemNamespace, operatorAccount)
	p, err := startProcess("operator", c.log("operator"), o.binary, "operator", "--kubeconfig="+kubeconfig,
		"--namespace="+systemNamespace, "--leader-elect", "--gateway-image=vipcloud:demo", "--health-listen="+health,
		"--metrics-listen=0")
	if err != nil {
		return nil, err
	}
	if err := p.await(ctx, "http://"+health+"/readyz"); err != nil {
		p.stop()
		return nil, errors.Join(err, c.tail("operator"))
	}
	return p, nil
}

// applySamples applies the quickstart and the catalog.
func (c *cluster) applySamples(ctx context.Context, root string, vendors *samples.Vendors) error {
	sayf("applying the samples, with the vendors' endpoints led to simulators")
	dir := filepath.Join(c.work, "samples")
	if err := samples.Write(dir, vendors, root); err != nil {
		return err
	}
	return c.kubectl(ctx, "apply", "-f", dir)
}

// runGateway runs a gateway under the account that the operator made for the sample instance.
func (c *cluster) runGateway(ctx context.Context, o options) (*gatewayProcess, error) {
	sayf("waiting for the account that the operator makes for the gateway")
	err := c.retry(ctx, func() error {
		return c.quiet(ctx, "get", "serviceaccount", "-n", systemNamespace, gatewayAccount)
	})
	if err != nil {
		return nil, errors.Join(err, c.tail("operator"))
	}
	kubeconfig, err := c.kubeconfigOf(ctx, systemNamespace, gatewayAccount)
	if err != nil {
		return nil, err
	}
	sayf("starting a gateway as system:serviceaccount:%s:%s", systemNamespace, gatewayAccount)
	return startGateway(ctx, o, "--instance="+systemNamespace+"/default", "--kubeconfig="+kubeconfig, "--replica-name="+demoReplica)
}

// show waits for the quickstart to be ready, prints all kinds and returns the key.
func (c *cluster) show(ctx context.Context) (string, error) {
	for _, object := range []string{
		"providercredential/deepseek -n " + systemNamespace, "modelroute/deepseek-v4-pro -n " + systemNamespace,
		"modelroute/seedream-4.5 -n " + systemNamespace, "apikey/quickstart -n default",
	} {
		args := append([]string{"wait", "--for=condition=Ready", "--timeout=" + conditionWait}, strings.Fields(object)...)
		if err := c.kubectl(ctx, args...); err != nil {
			return "", errors.Join(err, c.tail("operator"))
		}
	}
	sayf("this cluster has no node: the Deployment's own pods stay pending, and the gateway above runs as a process beside it")
	if err := c.kubectl(ctx, "get", "vipcloud", "-A"); err != nil {
		return "", err
	}
	if err := c.kubectl(ctx, "get", "deployment,service,pod", "-n", systemNamespace); err != nil {
		return "", err
	}
	out, err := c.output(ctx, "get", "secret", "-n", "default", "quickstart", "-o", `go-template={{index .data "api-key" | base64decode}}`)
	if err != nil {
		return "", fmt.Errorf("reading the key's Secret: %w", err)
	}
	return out, nil
}

// retry repeats until it works or time is up.
func (c *cluster) retry(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-ticker.C:
		}
	}
}

// kubectl runs the cluster's own kubectl as admin and shows what it says.
func (c *cluster) kubectl(ctx context.Context, args ...string) error {
	cmd := c.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("kubectl %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// quiet is kubectl without its words.
func (c *cluster) quiet(ctx context.Context, args ...string) error {
	_, err := c.output(ctx, args...)
	return err
}

// output returns what kubectl prints.
func (c *cluster) output(ctx context.Context, args ...string) (string, error) {
	out, err := c.command(ctx, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// command makes a kubectl command.
func (c *cluster) command(ctx context.Context, args ...string) *exec.Cmd {
	args = append([]string{"--kubeconfig=" + c.admin}, args...)
	return exec.CommandContext(ctx, filepath.Join(c.assets, "kubectl"), args...)
}
