package gateway

import (
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/proxy"
	"vipcloud.ai/vipcloud/gateway/route"
	"vipcloud.ai/vipcloud/gateway/snapshot"
	"vipcloud.ai/vipcloud/gateway/usage"
)

// chat serves POST /v1/chat/completions: read, peek, resolve, relay. The snapshot is loaded once; nothing below loads it again.
func (s *Server) chat(x *exchange) *openai.Error {
	x.rec.Operation = snapshot.OperationChat
	body, release, problem := s.readBody(x)
	defer release()
	if problem != nil {
		return problem
	}
	object, problem := openai.ParseBody(body)
	if problem != nil {
		return problem
	}
	peek, problem := openai.PeekChat(object)
	x.rec.Model, x.rec.Stream = peek.Model, peek.Stream
	if problem != nil {
		return problem
	}
	x.rec.Route, problem = route.Resolve(s.holder.Load(), x.key, peek.Model, string(provider.ModalityChat))
	if problem != nil {
		return problem
	}
	answers, limited := openai.MaxTokens(object)
	if problem = s.admit(x, x.rec.Route, usage.ChatBound(x.rec.Route, int64(object.Len()), answers, limited), usage.Media{}); problem != nil {
		return problem
	}
	if peek.Stream {
		s.metrics.Streams.Inc()
		defer s.metrics.Streams.Dec()
	}
	return x.record(s.proxy.Chat(x.r.Context(), x.w, &proxy.Call{
		Body: object, Stream: peek.Stream, IncludeUsage: peek.IncludeUsage, Route: x.rec.Route, Key: x.key, Start: x.rec.Start, Release: release,
	}))
}

// record takes over what became of a call. The error is what is still to be answered.
func (x *exchange) record(result proxy.Result) *openai.Error {
	x.rec.Served, x.rec.Target, x.rec.Attempts = result.Served, result.Target, result.Attempts
	x.rec.Called, x.rec.Usage, x.rec.Estimate, x.rec.AnswerBytes = result.Called, result.Usage, result.Estimate, result.AnswerBytes
	x.rec.PromptBytes, x.rec.Unanswered, x.rec.Superseded = result.PromptBytes, result.Unanswered, result.Superseded
	x.rec.FirstByte, x.rec.Upstream = result.FirstByte, result.Waited
	x.rec.UpstreamErr = result.Upstream
	switch {
	case result.ClientGone:
		x.rec.Outcome = usage.OutcomeClientGone
	case result.Err == nil:
		x.rec.Outcome = usage.OutcomeOK
	case result.Committed:
		x.rec.Outcome, x.rec.Err = usage.OutcomeBroken, result.Err
	default:
		x.rec.Outcome = usage.OutcomeFailed
		return result.Err
	}
	return nil
}
