// Command vipcloud is the operator, the gateway that it runs, and the tools around them, in one binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"vipcloud.ai/vipcloud/cmd/vipcloud/lint"
	"vipcloud.ai/vipcloud/gateway/provider/all"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRootCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "vipcloud:", err)
		os.Exit(exitCode(err))
	}
}

// exitCode is 1, but for lint, which tells apart what is wrong with the manifests and with itself.
func exitCode(err error) int {
	if _, ok := errors.AsType[*lint.UncheckedError](err); ok {
		return lint.ExitUnchecked
	}
	return lint.ExitFound
}

// newRootCommand lists what the binary can do.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "vipcloud",
		Short:         "Kubernetes operator and OpenAI-compatible gateway for Chinese frontier models",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newOperatorCommand(), newGatewayCommand(), lint.NewCommand(providersOf(all.Adapters())), newVersionCommand())
	return root
}

// newVersionCommand prints the version.
func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version)
			return err
		},
	}
}
