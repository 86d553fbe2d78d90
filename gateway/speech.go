package gateway

import (
	"net/http"

	"vipcloud.ai/vipcloud/gateway/media"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/snapshot"
	"vipcloud.ai/vipcloud/gateway/usage"
)

// speech serves POST /v1/audio/speech.
func (s *Server) speech(x *exchange) *openai.Error {
	x.rec.Operation = snapshot.OperationSpeech
	call, release, problem := s.mediaCall(x, provider.ModalitySpeech)
	defer release()
	if problem != nil {
		return problem
	}
	in, problem := media.ParseSpeech(call.Body)
	if problem != nil {
		return problem
	}
	if problem = s.admit(x, x.rec.Route, usage.SpeechBound(in.Input), usage.Media{}); problem != nil {
		return problem
	}
	x.rec.Stream = in.Events
	result := s.proxy.Speech(x.r.Context(), x.w, call)
	problem = x.record(result)
	if result.Broken {
		panic(http.ErrAbortHandler) // the request is settled on the way out
	}
	return problem
}
