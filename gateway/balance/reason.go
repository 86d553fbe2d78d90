package balance

import (
	"strings"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// Reason says why a target gets no requests, in the words of metrics and logs.
type Reason string

// Reasons of ejections.
const (
	ConsecutiveFailures Reason = "consecutive_failures"
	ErrorRate           Reason = "error_rate"
	Timeouts            Reason = "timeouts"
)

// Reasons of deaths: the first two are a credential's, the others a target's.
const (
	CredentialRefused Reason = "credential_refused"
	NoBalance         Reason = "no_balance"
	Forbidden         Reason = "forbidden"
	ModelNotFound     Reason = "model_not_found"
	QuotaExhausted    Reason = "quota_exhausted"
)

// CamelCase returns the word for conditions and status.
func (r Reason) CamelCase() string {
	var b strings.Builder
	for part := range strings.SplitSeq(string(r), "_") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]))
			b.WriteString(part[1:])
		}
	}
	return b.String()
}

// verdict is what a failure says of whom.
type verdict int

const (
	// nothing is said of anybody.
	nothing verdict = iota
	// failed and timedOut speak against the target, until it does better.
	failed
	timedOut
	// limited is a vendor that wants a pause.
	limited
	// targetRefused and credentialRefused will go on until somebody mends something.
	targetRefused
	credentialRefused
)

// verdicts are by class. A class that is not listed is the vendor's failure.
var verdicts = map[provider.Class]verdict{
	provider.ClassInvalidRequest: nothing,
	provider.ClassContextLength:  nothing,
	provider.ClassModeration:     nothing,

	provider.ClassServerError: failed,
	provider.ClassOverloaded:  failed,
	provider.ClassNetwork:     failed,
	provider.ClassBadResponse: failed,
	provider.ClassTimeout:     timedOut,

	provider.ClassRateLimited: limited,

	// Whether a vendor forbids an account everything or this model alone, and whether a plan is one for all models, cannot be told;
	// other targets of the credential find out by themselves.
	provider.ClassForbidden:      targetRefused,
	provider.ClassModelNotFound:  targetRefused,
	provider.ClassQuotaExhausted: targetRefused,

	provider.ClassUnauthorized: credentialRefused,
	provider.ClassNoBalance:    credentialRefused,
}

// judge says what a failure of a class means.
func judge(c provider.Class) verdict {
	if v, ok := verdicts[c]; ok {
		return v
	}
	return failed
}

// deaths are the reasons of refusals by class.
var deaths = map[provider.Class]Reason{
	provider.ClassUnauthorized: CredentialRefused, provider.ClassNoBalance: NoBalance, provider.ClassForbidden: Forbidden,
	provider.ClassModelNotFound: ModelNotFound, provider.ClassQuotaExhausted: QuotaExhausted,
}
