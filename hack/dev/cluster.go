package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// cluster is a control plane without nodes.
type cluster struct {
	assets, work string
	admin        string // kubeconfig
	env          *envtest.Environment
	config       *rest.Config
	parts        []*process
	logs         []io.Closer
}

// startCluster starts etcd, the API server, the controller manager and the scheduler.
func startCluster(ctx context.Context, assets, work string) (*cluster, error) {
	sayf("starting etcd, kube-apiserver, kube-controller-manager and kube-scheduler")
	c := &cluster{assets: assets, work: work, env: &envtest.Environment{BinaryAssetsDirectory: assets}}
	var err error
	if c.config, err = c.env.Start(); err != nil {
		return nil, fmt.Errorf("starting the API server: %w", err)
	}
	user, err := c.env.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		c.stop()
		return nil, fmt.Errorf("making an admin: %w", err)
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		c.stop()
		return nil, fmt.Errorf("writing the admin's kubeconfig: %w", err)
	}
	c.admin = filepath.Join(work, "admin.kubeconfig")
	if err := os.WriteFile(c.admin, kubeconfig, 0o600); err != nil {
		c.stop()
		return nil, fmt.Errorf("writing the admin's kubeconfig: %w", err)
	}
	for _, name := range []string{"kube-controller-manager", "kube-scheduler"} {
		p, err := startProcess(name, c.log(name), filepath.Join(assets, name), "--kubeconfig="+c.admin, "--leader-elect=false", "--secure-port=0")
		if err != nil {
			c.stop()
			return nil, err
		}
		c.parts = append(c.parts, p)
	}
	return c, c.retry(ctx, func() error { return c.quiet(ctx, "get", "serviceaccount", "-n", "default", "default") })
}

// stop ends everything that was started.
func (c *cluster) stop() {
	for _, p := range c.parts {
		p.stop()
	}
	_ = c.env.Stop()
	for _, l := range c.logs {
		_ = l.Close()
	}
}

// log opens a log file in the work directory. It goes with it.
func (c *cluster) log(name string) io.Writer {
	f, err := os.OpenFile(filepath.Join(c.work, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return os.Stderr
	}
	c.logs = append(c.logs, f)
	return f
}

// tailLines is how much of a log is shown with a failure.
const tailLines = 20

// tail is the end of a log, as an error to join to the one it explains.
func (c *cluster) tail(name string) error {
	data, err := os.ReadFile(filepath.Join(c.work, name+".log"))
	if err != nil {
		return fmt.Errorf("reading the log of %s: %w", name, err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return errors.New("the last lines of " + name + ":\n" + strings.Join(lines[max(0, len(lines)-tailLines):], "\n"))
}

// kubeconfigOf writes a kubeconfig for a ServiceAccount, with a token from the API server.
func (c *cluster) kubeconfigOf(ctx context.Context, namespace, account string) (string, error) {
	token, err := c.output(ctx, "create", "token", "-n", namespace, account, "--duration=24h")
	if err != nil {
		return "", err
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["demo"] = &clientcmdapi.Cluster{Server: "https://" + strings.TrimPrefix(c.config.Host, "https://"), CertificateAuthorityData: c.config.CAData}
	config.AuthInfos["demo"] = &clientcmdapi.AuthInfo{Token: strings.TrimSpace(token)}
	config.Contexts["demo"] = &clientcmdapi.Context{Cluster: "demo", AuthInfo: "demo", Namespace: namespace}
	config.CurrentContext = "demo"
	path := filepath.Join(c.work, account+".kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return "", fmt.Errorf("writing the kubeconfig of %s: %w", account, err)
	}
	return path, nil
}
