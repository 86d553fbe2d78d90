// Command tools is what the end-to-end tests run in pods: simulated vendors, an application, and a load of applications. It knows
// nothing of the gateway but what a pod has by envFrom.
//
//	tools vendors            the simulated vendors on :8080, what they saw on :8081
//	tools chat MODEL PROMPT  one streamed completion, printed as it comes
//	tools load               streams through the gateway, steered and watched on :8081
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// controlAddress is where the tests ask.
const controlAddress = ":8081"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "tools:", err)
		os.Exit(1)
	}
}

// errUsage is what somebody gets who asks for something else.
var errUsage = errors.New("usage: tools vendors [FLAGS] | chat MODEL PROMPT | load [FLAGS]")

// run does what the command line says.
func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	switch args[0] {
	case "vendors":
		return vendors(ctx, args[1:])
	case "chat":
		if len(args) == 3 {
			return chat(ctx, args[1], args[2])
		}
	case "load":
		return load(ctx, args[1:])
	}
	return errUsage
}

// listen opens an address.
func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", address, err)
	}
	return l, nil
}

// serveControl serves what the tests ask for, until ctx ends.
func serveControl(ctx context.Context, h http.Handler) error {
	l, err := listen(ctx, controlAddress)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s: %w", controlAddress, err)
	}
	return nil
}

// answer writes a value as JSON.
func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // whoever asked has gone
}
