// Command node is one binary that holds the two Kubernetes programs that only a node needs, the kubelet and kube-proxy. The name
// it is started under picks the program. It is built from the module of the control plane, so that the versions agree and
// most of it is compiled already.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	var c *cobra.Command
	switch name := filepath.Base(os.Args[0]); name {
	case "kubelet":
		c = kubelet.NewKubeletCommand(context.Background())
	case "kube-proxy":
		c = proxy.NewProxyCommand()
	default:
		fmt.Fprintf(os.Stderr, "node: no program named %q in this binary\n", name)
		os.Exit(2)
	}
	os.Exit(cli.Run(c))
}
