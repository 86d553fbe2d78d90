package doubaospeech

import (
	"slices"
	"strings"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// formats are what can be had, in both protocols.
func formats() []string {
	return []string{provider.FormatMP3, provider.FormatOpus, provider.FormatWAV, provider.FormatPCM}
}

// checkCommon refuses what neither protocol takes: other formats, and speeds beyond the fastest or below a protocol's slowest.
func checkCommon(in *provider.SpeechRequest, slowest float64) error {
	switch {
	case !slices.Contains(formats(), in.Format):
		return provider.Invalid("response_format", "Doubao makes %s, not %q.", strings.Join(formats(), ", "), in.Format)
	case !(in.Speed >= slowest && in.Speed <= maxSpeed):
		return provider.Invalid("speed", "Doubao takes speeds from %g to %g, not %g.", slowest, float64(maxSpeed), in.Speed)
	}
	return nil
}

// maxSpeed is the fastest speech of both protocols.
const maxSpeed = 2

// Rates in Hz: what clients of OpenAI expect of pcm, and the only one that all pages allow for Opus.
const (
	usualRate = 24000
	opusRate  = 48000
)

// encodingOf is the vendor's word for a format. Its Opus lies in an Ogg container, as clients expect.
func encodingOf(format string) string {
	if format == provider.FormatOpus {
		return "ogg_opus"
	}
	return format
}
