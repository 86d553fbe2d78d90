package gateway

import (
	"net/http"

	"github.com/gorilla/mux"

	"vipcloud.ai/vipcloud/gateway/snapshot"
	"vipcloud.ai/vipcloud/gateway/tracing"
	"vipcloud.ai/vipcloud/gateway/usage"
)

// pattern is that of the path, empty for one that is not served.
func (x *exchange) pattern() string {
	if current := mux.CurrentRoute(x.r); current != nil {
		template, err := current.GetPathTemplate()
		if err == nil {
			return template
		}
	}
	return ""
}

// endSpan says in the request's span what became of it.
func (x *exchange) endSpan(settled *usage.Settled) {
	if !x.span.Recording() {
		x.span.End("")
		return
	}
	rec := &x.rec
	r := tracing.Request{
		Path: x.pattern(), RequestID: rec.RequestID, Status: rec.Status, Stream: rec.Stream, FirstByte: rec.FirstByte, Attempts: rec.Attempts,
		Outcome: string(rec.Outcome), Operation: rec.Operation,
		Used: rec.Usage.Known || settled.Estimated, Estimated: settled.Estimated,
		Input: settled.Usage.PromptTokens, Cached: settled.Usage.CachedTokens, Output: settled.Usage.CompletionTokens,
	}
	if rec.Route != nil {
		r.Operation, r.Model = snapshot.OperationOf(rec.Route.Route), rec.Route.Model
	}
	if rec.Served != nil {
		r.Served = rec.Served.Model
	}
	if rec.Target != nil {
		r.Target, r.Provider = rec.Target.ID, rec.Target.Credential.Provider
	}
	if rec.Key != nil {
		r.Key, r.Project = rec.Key.ID(), rec.Key.Project
	}
	if settled.Priced {
		r.Cost, r.Currency = settled.Cost.Decimal(), rec.Served.Pricing.Currency
	}
	if rec.Err != nil {
		r.Failure, r.ServerFault = rec.Err.Code, rec.Err.Status >= http.StatusInternalServerError || rec.Outcome == usage.OutcomeBroken
	}
	x.span.EndRequest(&r)
}
