package gateway

import (
	"fmt"
	"time"

	"vipcloud.ai/vipcloud/gateway/demo"
	"vipcloud.ai/vipcloud/gateway/metrics"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/quota"
	"vipcloud.ai/vipcloud/gateway/table"
)

const (
	// demoBodyBytes is the largest body of a request without a key.
	demoBodyBytes = 64 << 10
	// codeDemoLimit is the code of everything that the demo refuses because there was too much of it.
	codeDemoLimit = "demo_limit"
)

// tried lets clients without a key do what the demo of the instance allows. Who sends a key is held to it, whatever it is.
func (s *Server) tried(h handler) handler {
	withKey := s.authenticated(h)
	return func(x *exchange) *openai.Error {
		if _, sent := x.r.Header["Authorization"]; sent {
			return withKey(x)
		}
		t := s.Table()
		if t == nil || t.Demo() == nil {
			return withKey(x)
		}
		x.key, x.client = t.Demo().Key(), demo.Client(x.r, t.TrustedProxyHops())
		return h(x)
	}
}

// working is tried for what costs something: its clients are counted.
func (s *Server) working(h handler) handler {
	return s.tried(func(x *exchange) *openai.Error {
		if d := x.key.Demo; d != nil {
			if wait, ok := s.demoClients.Enter(x.client, d.MaxClients, s.opts.Now()); !ok {
				return openai.RateLimited(codeDemoLimit, "Too many people are trying this at the moment; try again, or use an API key.", wait)
			}
		}
		return h(x)
	})
}

// bodyLimit is how large the body of a request may be.
func (s *Server) bodyLimit(x *exchange) int64 {
	if x.key.Demo != nil {
		return min(demoBodyBytes, s.opts.BodyBytes)
	}
	return s.opts.BodyBytes
}

// demoPolicy is what a client without a key may do: its requests are its own, and the budget is everybody's.
func demoPolicy(k *table.Key, client string) *quota.Policy {
	p := &quota.Policy{
		Owner: table.DemoOwner + " " + client, RequestsPerMinute: limitOf(k.Limits.RequestsPerMinute), TokensPerMinute: quota.Unlimited,
		Concurrent: quota.Unlimited,
	}
	if b := k.Demo.Budget; b != nil {
		p.Space, p.SpaceBudgets = table.DemoOwner, []quota.Budget{{Amount: b.Amount, Period: quota.Period(b.Period)}}
	}
	return p
}

// demoRefused is what a client without a key is told.
func demoRefused(r *quota.Refusal, currency string, now time.Time) *openai.Error {
	if r.Reason == quota.RequestsPerMinute {
		return openai.RateLimited(codeDemoLimit, fmt.Sprintf("Without an API key %d requests per minute are allowed.", r.Limit), r.RetryAfter)
	}
	return refused(r, "everybody without an API key together", currency, now)
}

// observeDemo registers what is to be seen of the demo.
func (s *Server) observeDemo() {
	metrics.GaugeFunc(s.opts.Registry, "vipcloud_demo_clients", "Clients without a key that were there within the last minute.",
		func() float64 { return float64(s.demoClients.Len(s.opts.Now())) })
	metrics.GaugeFunc(s.opts.Registry, "vipcloud_demo_spend", "What clients without a key have cost since the beginning, by all that this replica knows, in the instance's currency.",
		func() float64 {
			return float64(s.books.Total(table.DemoOwner, "", quota.Lifetime, s.opts.Now())) / float64(money.Unit) // a metric, not an account
		})
}
