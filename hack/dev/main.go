// Command dev runs the gateway for people: "run" serves the samples without Kubernetes, "demo" serves them through a real API
// server and the operator. Both use simulated vendors, print how to call the gateway, and leave nothing behind.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the command line's.
type options struct {
	binary  string
	listen  string
	samples string
	smoke   bool
	// taskStep is how long a simulated video or song is queued, and again how long it is made.
	taskStep time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := start(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "dev:", err)
		os.Exit(1)
	}
}

// errUsage is what a user gets who asks for something else.
var errUsage = errors.New("usage: dev run|demo [-binary FILE] [-listen ADDRESS] [-samples DIR] [-task-step DURATION] [-smoke]")

// start reads the command line and does what it says.
func start(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	var o options
	flags := flag.NewFlagSet("dev", flag.ContinueOnError)
	flags.StringVar(&o.binary, "binary", "bin/vipcloud", "the vipcloud binary")
	flags.StringVar(&o.listen, "listen", orElse(os.Getenv("LISTEN"), "127.0.0.1:8080"), "address of the gateway; port 0 takes a free one (LISTEN)")
	flags.StringVar(&o.samples, "samples", "config/samples", "directory of sample manifests")
	flags.BoolVar(&o.smoke, "smoke", os.Getenv("SMOKE") == "1", "make a chat call and an image call, check the answers and end (SMOKE=1)")
	flags.DurationVar(&o.taskStep, "task-step", 2*time.Second, "how long a simulated video or song is queued, and again how long it is made")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "vipcloud-dev-")
	if err != nil {
		return fmt.Errorf("making a work directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	switch args[0] {
	case "run":
		return run(ctx, o, work)
	case "demo":
		return demo(ctx, o, work)
	}
	return errUsage
}

// orElse returns the first string that is not empty.
func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
