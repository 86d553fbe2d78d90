package gateway

import (
	"vipcloud.ai/vipcloud/gateway/media"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/proxy"
	"vipcloud.ai/vipcloud/gateway/route"
	"vipcloud.ai/vipcloud/gateway/snapshot"
	"vipcloud.ai/vipcloud/gateway/usage"
)

// images serves POST /v1/images/generations.
func (s *Server) images(x *exchange) *openai.Error {
	x.rec.Operation = snapshot.OperationImage
	call, release, problem := s.mediaCall(x, provider.ModalityImage)
	defer release()
	if problem != nil {
		return problem
	}
	in, problem := media.ParseImage(call.Body)
	if problem != nil {
		return problem
	}
	if problem = s.admit(x, x.rec.Route, provider.Usage{Images: int64(in.N)}, usage.Media{}); problem != nil {
		return problem
	}
	call.Stream, x.rec.Stream = in.Stream, in.Stream
	return x.record(s.proxy.Images(x.r.Context(), x.w, call))
}

// mediaCall reads a body and resolves its model. Release gives the body's room back; it is never nil.
func (s *Server) mediaCall(x *exchange, modality provider.Modality) (call *proxy.Call, release func(), problem *openai.Error) {
	body, release, problem := s.readBody(x)
	if problem != nil {
		return nil, release, problem
	}
	object, problem := openai.ParseBody(body)
	if problem != nil {
		return nil, release, problem
	}
	if x.rec.Model, problem = openai.PeekModel(object); problem != nil {
		return nil, release, problem
	}
	if x.rec.Route, problem = route.Resolve(s.holder.Load(), x.key, x.rec.Model, string(modality)); problem != nil {
		return nil, release, problem
	}
	return &proxy.Call{Body: object, Route: x.rec.Route, Key: x.key, Start: x.rec.Start, Release: release}, release, nil
}
