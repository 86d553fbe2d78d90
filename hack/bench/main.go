// Command bench measures the gateway side by side with a direct call, httputil.ReverseProxy and nginx, on loopback: CPU per
// request from the kernel's accounting of each process, added latency, and memory. Every contender is a process of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// errUsage is what a user gets who asks for something else.
var errUsage = errors.New("usage: bench run BINARY | memory BINARY | upstream ADDRESS | media ADDRESS | reverseproxy ADDRESS UPSTREAM")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := start(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// start runs one of the roles.
func start(ctx context.Context, args []string) error {
	switch {
	case len(args) == 2 && args[0] == "run":
		return run(ctx, args[1], false)
	case len(args) == 2 && args[0] == "memory":
		return run(ctx, args[1], true)
	case len(args) == 2 && args[0] == "upstream":
		return serve(ctx, args[1], upstream())
	case len(args) == 2 && args[0] == "media":
		return serve(ctx, args[1], mediaUpstream())
	case len(args) == 3 && args[0] == "reverseproxy":
		h, err := reverseProxy(args[2])
		if err != nil {
			return err
		}
		return serve(ctx, args[1], h)
	}
	return errUsage
}
