package doubaospeech

import (
	"strings"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// meaning is what a failure is about: its class, and the member of the public request that is at fault.
type meaning struct {
	class provider.Class
	param string
}

// The members that failures are about.
const (
	paramVoice = "voice"
	paramInput = "input"
)

// invalid is a fault of the client's in a member, "" for one that is not known.
func invalid(param string) meaning { return meaning{provider.ClassInvalidRequest, param} }

// meaningOf reads a code and its text. Texts come first where they say more than the code that they come with.
func meaningOf(code, text string) (m meaning, known bool) {
	text = strings.ToLower(text)
	if m, known = meaningOfText(text); known {
		return m, true
	}
	if len(code) == len("3000") {
		return meaningOfV1(code)
	}
	return meaningOfV3(code, text)
}

// meaningOfText reads texts that mean the same with any code. Which code comes with them is not documented.
func meaningOfText(text string) (m meaning, known bool) {
	for _, t := range [...]struct {
		words string
		meaning
	}{
		{"requested grant not found", meaning{class: provider.ClassUnauthorized}},
		{"invalid x-api-key", meaning{class: provider.ClassUnauthorized}},
		// An allowance for the life of an account, such as the trial's, is not filled up again.
		{"_lifetime", meaning{class: provider.ClassNoBalance}},
		{"quota exceeded for types: concurrency", meaning{class: provider.ClassRateLimited}},
		{"quota exceeded", meaning{class: provider.ClassQuotaExhausted}},
		{"mismatched with speaker", invalid(paramVoice)},
		{"init engine instance failed", invalid(paramVoice)},
		{"get resource id: access denied", invalid(paramVoice)},
		{"speaker permission denied", invalid(paramVoice)},
		{"illegal input text", invalid(paramInput)},
	} {
		if strings.Contains(text, t.words) {
			return t.meaning, true
		}
	}
	return meaning{}, false
}

// meaningOfV1 reads a code of V1. That an id was used before is the gateway's fault and nobody else's.
func meaningOfV1(code string) (m meaning, known bool) {
	switch code {
	case "3001":
		return invalid(""), true
	case "3003":
		return meaning{class: provider.ClassRateLimited}, true
	case "3005":
		return meaning{class: provider.ClassOverloaded}, true
	case "3006", "3031", "3040":
		return meaning{class: provider.ClassServerError}, true
	case "3010", "3011":
		return invalid(paramInput), true
	case "3030", "3032":
		return meaning{class: provider.ClassTimeout}, true
	case "3050":
		return invalid(paramVoice), true
	}
	return meaning{}, false
}

// meaningOfV3 reads a code of V3.
func meaningOfV3(code, text string) (m meaning, known bool) {
	switch code {
	case "40402003", "45002001":
		return invalid(paramInput), true
	case "45000000":
		// What of this code remains is about the credential: access denied, or none found.
		return meaning{class: provider.ClassUnauthorized}, strings.Contains(text, "access denied") || strings.Contains(text, "app key not found")
	case "45000001":
		return meaningOfArgument(text), true
	case "45000010":
		return meaning{class: provider.ClassUnauthorized}, true
	case "45002000":
		return invalid(paramVoice), true
	case "55000000":
		if strings.Contains(text, "timeout") || strings.Contains(text, "timed out") {
			return meaning{class: provider.ClassTimeout}, true
		}
		return meaning{class: provider.ClassServerError}, true
	}
	return meaning{}, false
}

// meaningOfArgument reads the text of an invalid argument.
func meaningOfArgument(text string) meaning {
	switch {
	case strings.Contains(text, "speaker"):
		return invalid(paramVoice)
	case strings.Contains(text, "invalidmodel"):
		return meaning{class: provider.ClassModelNotFound}
	}
	return invalid("")
}
