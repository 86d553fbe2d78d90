package main

import (
	"context"
	"flag"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"vipcloud.ai/vipcloud/test/sim"
)

// vendors serves the simulated vendors until ctx ends. On the control address, GET /totals?vendor=DeepSeek tells what a vendor has
// billed, and GET /ledger?vendor=DeepSeek its last requests.
func vendors(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("vendors", flag.ContinueOnError)
	address := flags.String("listen", ":8080", "address of the vendors")
	delay := flags.Duration("chunk-delay", 0, "the pause between two chunks of a stream")
	step := flags.Duration("task-step", time.Second, "how long a task is queued, and again how long it runs")
	keys := flags.String("keys", "", "accepted keys of chat, separated by commas; empty: each vendor's own")
	if err := flags.Parse(args); err != nil {
		return err
	}
	options := sim.Options{ChunkDelay: *delay, TaskStep: *step}
	if *keys != "" {
		options.Keys = strings.Split(*keys, ",")
	}
	server := sim.NewServer(options)
	l, err := listen(ctx, *address)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	asked := func(serve func(*sim.Simulator) any) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			v := server.Vendor(sim.Vendor(r.URL.Query().Get("vendor")))
			if v == nil {
				http.NotFound(w, r)
				return
			}
			answer(w, serve(v))
		}
	}
	mux.Handle("GET /totals", asked(func(v *sim.Simulator) any { return v.Totals() }))
	mux.Handle("GET /ledger", asked(func(v *sim.Simulator) any { return v.Ledger() }))
	mux.Handle("GET /healthz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, "ok") }))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return sim.Serve(ctx, l, server) })
	group.Go(func() error { return serveControl(ctx, mux) })
	return group.Wait()
}
