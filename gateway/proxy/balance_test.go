package proxy

import (
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/balance"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestRefusalOf_saysWhyAndWhenToTryAgain(t *testing.T) {
	const wait = 7 * time.Second
	for name, tc := range map[string]struct {
		outlook   balance.Outlook
		want      openai.Error
		wantRetry time.Duration
		wantStop  bool
	}{
		"full": {
			outlook:   balance.Outlook{Obstacle: balance.Full, Wait: wait},
			want:      openai.Error{Status: 503, Code: "overloaded"},
			wantRetry: wait,
		},
		"paused by a rate limit": {
			outlook:   balance.Outlook{Obstacle: balance.Paused, Wait: wait, Class: provider.ClassRateLimited},
			want:      openai.Error{Status: 429, Code: "upstream"},
			wantRetry: wait,
		},
		"paused by an overload": {
			outlook:   balance.Outlook{Obstacle: balance.Paused, Wait: wait, Class: provider.ClassOverloaded},
			want:      openai.Error{Status: 503, Code: "overloaded"},
			wantRetry: wait,
		},
		"paused by a failure": {
			outlook:   balance.Outlook{Obstacle: balance.Paused, Wait: wait, Class: provider.ClassServerError},
			want:      openai.Error{Status: 502, Code: "upstream_server_error"},
			wantRetry: wait,
		},
		"closed": {
			outlook:   balance.Outlook{Obstacle: balance.Closed, Wait: wait},
			want:      openai.Error{Status: 503, Code: "no_healthy_target"},
			wantRetry: wait,
		},
		"refused credential": {
			outlook:  balance.Outlook{Obstacle: balance.Refused, Class: provider.ClassUnauthorized},
			want:     openai.Error{Status: 502, Code: "upstream_credential"},
			wantStop: true,
		},
		"no money": {
			outlook:  balance.Outlook{Obstacle: balance.Refused, Class: provider.ClassNoBalance},
			want:     openai.Error{Status: 502, Code: "upstream_billing"},
			wantStop: true,
		},
		"nothing there": {
			outlook:   balance.Outlook{Obstacle: balance.NoTargets},
			want:      openai.Error{Status: 503, Code: "no_healthy_target"},
			wantRetry: noTargetPause,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := refusalOf(tc.outlook)
			if got.Status != tc.want.Status || got.Code != tc.want.Code || got.RetryAfter != tc.wantRetry || got.NoRetry != tc.wantStop {
				t.Errorf("got %+v", got)
			}
			if got.Cause == nil {
				t.Error("the log is not told why")
			}
		})
	}
}

func TestOutlook_whatOnlyTakesTimeComesFirst(t *testing.T) {
	order := []balance.Outlook{
		{},
		{Obstacle: balance.Full, Wait: time.Second},
		{Obstacle: balance.Paused, Wait: 2 * time.Second},
		{Obstacle: balance.Closed, Wait: 3 * time.Second},
		{Obstacle: balance.Refused},
		{Obstacle: balance.NoTargets},
	}
	for i := range order {
		for j := range order {
			if got := order[i].Before(order[j]); got != (i < j) {
				t.Errorf("%+v before %+v: %v", order[i], order[j], got)
			}
		}
	}
}
