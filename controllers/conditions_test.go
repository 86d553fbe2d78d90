package controllers

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vipcloud.ai/vipcloud/gateway/table"
)

// noon is when pure tests take place.
func noon() time.Time { return time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC) }

// shape prints conditions without times and messages.
func shape(conditions []metav1.Condition) map[string]string {
	out := map[string]string{}
	for _, c := range conditions {
		out[c.Type] = string(c.Status) + "/" + c.Reason
	}
	return out
}

func TestObservation_Settle(t *testing.T) {
	good := held("Accepted", "Accepted", "")
	cases := map[string]struct {
		details   []detail
		before    []metav1.Condition
		changed   time.Time
		want      map[string]string
		wantAgain time.Time
	}{
		"all is well": {
			details: []detail{good},
			want:    map[string]string{"Accepted": "True/Accepted", "Ready": "True/Ready"},
		},
		"info does not stand in the way": {
			details: []detail{good, failed("Priced", table.Info, "Unpriced", "")},
			want:    map[string]string{"Accepted": "True/Accepted", "Priced": "False/Unpriced", "Ready": "True/Ready"},
		},
		"invalid stalls at once": {
			details: []detail{failed("Accepted", table.Invalid, "Invalid", "")},
			want:    map[string]string{"Accepted": "False/Invalid", "Ready": "False/Invalid", "Stalled": "True/Invalid"},
		},
		"missing is waited for": {
			details:   []detail{failed("ResolvedRefs", table.Missing, "RefNotFound", "")},
			want:      map[string]string{"ResolvedRefs": "False/RefNotFound", "Ready": "False/RefNotFound", "Reconciling": "True/RefNotFound"},
			wantAgain: noon().Add(missingGrace),
		},
		"missing for a minute stalls": {
			details: []detail{failed("ResolvedRefs", table.Missing, "RefNotFound", "")},
			before: []metav1.Condition{{Type: "ResolvedRefs", Status: "False", Reason: "RefNotFound",
				LastTransitionTime: metav1.NewTime(noon().Add(-missingGrace))}, {Type: "Reconciling", Status: "True"}},
			want: map[string]string{"ResolvedRefs": "False/RefNotFound", "Ready": "False/RefNotFound", "Stalled": "True/RefNotFound"},
		},
		"a new generation is waited for anew": {
			details: []detail{failed("ResolvedRefs", table.Missing, "RefNotFound", "")},
			before: []metav1.Condition{{Type: "ResolvedRefs", Status: "False", Reason: "RefNotFound",
				LastTransitionTime: metav1.NewTime(noon().Add(-time.Hour))}, {Type: "Stalled", Status: "True"}},
			changed:   noon().Add(-10 * time.Second),
			want:      map[string]string{"ResolvedRefs": "False/RefNotFound", "Ready": "False/RefNotFound", "Reconciling": "True/RefNotFound"},
			wantAgain: noon().Add(50 * time.Second),
		},
		"replicas are waited for without end": {
			details: []detail{good, failed("Programmed", pending, "Progressing", "")},
			want: map[string]string{"Accepted": "True/Accepted", "Programmed": "False/Progressing", "Ready": "False/Progressing",
				"Reconciling": "True/Progressing"},
		},
		"degraded is neither progress nor standstill": {
			details: []detail{failed("ResolvedRefs", table.Degraded, "CredentialNotReady", "")},
			before:  []metav1.Condition{{Type: "Stalled", Status: "True"}, {Type: "Reconciling", Status: "True"}},
			want:    map[string]string{"ResolvedRefs": "False/CredentialNotReady", "Ready": "False/CredentialNotReady"},
		},
		"the worst decides": {
			details: []detail{failed("Programmed", pending, "Progressing", ""), failed("ResolvedRefs", table.Missing, "RefNotFound", ""),
				failed("Accepted", table.Invalid, "NameTaken", ""), failed("Priced", table.Degraded, "X", "")},
			want: map[string]string{"Accepted": "False/NameTaken", "ResolvedRefs": "False/RefNotFound", "Priced": "False/X",
				"Programmed": "False/Progressing", "Ready": "False/NameTaken", "Stalled": "True/NameTaken"},
		},
		"waiting beats degraded": {
			details: []detail{failed("Programmed", pending, "Progressing", ""), failed("ResolvedRefs", table.Degraded, "RefNotFound", "")},
			want: map[string]string{"ResolvedRefs": "False/RefNotFound", "Programmed": "False/Progressing", "Ready": "False/Progressing",
				"Reconciling": "True/Progressing"},
		},
		"a detail without a kind only decides": {
			details: []detail{good, failed("", table.Invalid, "NameConflict", "")},
			want:    map[string]string{"Accepted": "True/Accepted", "Ready": "False/NameConflict", "Stalled": "True/NameConflict"},
		},
		"recovery clears what was abnormal": {
			details: []detail{good},
			before: []metav1.Condition{{Type: "Stalled", Status: "True", Reason: "X"}, {Type: "Ready", Status: "False", Reason: "X"},
				{Type: "ResolvedRefs", Status: "False", Reason: "X"}},
			want: map[string]string{"Accepted": "True/Accepted", "Ready": "True/Ready"},
		},
		"conditions of others stay": {
			details: []detail{good},
			before:  []metav1.Condition{{Type: "example.com/Audited", Status: "True", Reason: "Theirs"}},
			want:    map[string]string{"example.com/Audited": "True/Theirs", "Accepted": "True/Accepted", "Ready": "True/Ready"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := observation{generation: 7, now: noon(), changed: tc.changed, details: tc.details,
				owned: []string{"Accepted", "ResolvedRefs", "Priced", "Programmed"}}
			conditions := tc.before
			again := o.settle(&conditions)
			if diff := cmp.Diff(tc.want, shape(conditions)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if !again.Equal(tc.wantAgain) {
				t.Errorf("look again at %v, want %v", again, tc.wantAgain)
			}
			settled := append([]metav1.Condition(nil), conditions...)
			o.settle(&conditions)
			if diff := cmp.Diff(settled, conditions); diff != "" {
				t.Errorf("a second look changes the conditions:\n%s", diff)
			}
			for _, c := range conditions {
				if c.Type != "example.com/Audited" && c.ObservedGeneration != 7 {
					t.Errorf("%s observed generation %d", c.Type, c.ObservedGeneration)
				}
			}
		})
	}
}

func TestObservation_KeepsTransitionTimes(t *testing.T) {
	var conditions []metav1.Condition
	first := observation{generation: 1, now: noon(), details: []detail{held("Accepted", "Accepted", "a")}}
	first.settle(&conditions)
	later := observation{generation: 2, now: noon().Add(time.Hour), details: []detail{held("Accepted", "PartiallyAccepted", "b")}}
	later.settle(&conditions)
	c := meta.FindStatusCondition(conditions, "Accepted")
	if !c.LastTransitionTime.Time.Equal(noon()) || c.Reason != "PartiallyAccepted" || c.Message != "b" || c.ObservedGeneration != 2 {
		t.Errorf("%+v", c)
	}
}

func TestTruncate(t *testing.T) {
	cases := map[string]string{
		"short":       "fine",
		"exactly":     strings.Repeat("x", maxMessage),
		"one over":    strings.Repeat("x", maxMessage+1),
		"wide":        strings.Repeat("模", maxMessage),
		"wide offset": "x" + strings.Repeat("模", maxMessage),
	}
	for name, message := range cases {
		t.Run(name, func(t *testing.T) {
			got := truncate(message)
			if len(got) > maxMessage || !utf8.ValidString(got) {
				t.Errorf("%d bytes, valid %v", len(got), utf8.ValidString(got))
			}
			if len(message) <= maxMessage && got != message {
				t.Errorf("changed to %q", got)
			}
			if len(message) > maxMessage && !strings.HasSuffix(got, "…") {
				t.Error("nothing tells that it was cut")
			}
		})
	}
}

func TestEarliest(t *testing.T) {
	a, b := noon(), noon().Add(time.Second)
	if got := earliest(time.Time{}, b, a); !got.Equal(a) {
		t.Errorf("got %v", got)
	}
	if got := earliest(time.Time{}); !got.IsZero() {
		t.Errorf("got %v of no deadline", got)
	}
}
