package table

import (
	"fmt"
	"slices"
	"strings"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// Kinds of objects in findings.
const (
	KindGatewayInstance    = "GatewayInstance"
	KindModelRoute         = "ModelRoute"
	KindApiKey             = "ApiKey"
	KindProviderCredential = "ProviderCredential"
)

// DefaultCurrency is that of instances which name none.
const DefaultCurrency v1alpha1.Currency = "USD"

// invalid is a problem of a value that somebody must change.
func invalid(format string, args ...any) *Problem {
	return because(v1alpha1.ReasonInvalid, format, args...)
}

// because is a problem that somebody must mend, with a reason of its own.
func because(reason, format string, args ...any) *Problem {
	return &Problem{Severity: Invalid, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// missing is a problem of something that may still turn up.
func missing(reason, format string, args ...any) *Problem {
	return &Problem{Severity: Missing, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// finding turns a problem into a condition that does not hold.
func (p *Problem) finding(ref ObjectRef, condition string) Finding {
	return Finding{Object: ref, Type: condition, Severity: p.Severity, Reason: p.Reason, Message: p.Message}
}

// holds is a condition that holds.
func holds(ref ObjectRef, condition, reason, message string) Finding {
	return Finding{Object: ref, Type: condition, Status: true, Reason: reason, Message: message}
}

// merge makes one problem of several: the first one's reason and severity, everybody's message. It is nil for none.
func merge(problems []*Problem) *Problem {
	if len(problems) == 0 {
		return nil
	}
	var messages []string
	for _, p := range problems {
		if !slices.Contains(messages, p.Message) {
			messages = append(messages, p.Message)
		}
	}
	return &Problem{Severity: problems[0].Severity, Reason: problems[0].Reason, Message: strings.Join(messages, "; ")}
}
