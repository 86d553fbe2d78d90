package proxy

import (
	"net/http"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestCollect_tellsTheFailureThatMattersMost(t *testing.T) {
	limited := &provider.Error{Class: provider.ClassRateLimited, Status: http.StatusTooManyRequests}
	moderated := &provider.Error{Class: provider.ClassModeration, Status: http.StatusBadRequest}
	lost := &provider.Error{Class: provider.ClassNetwork}
	for name, tc := range map[string]struct {
		failures []*provider.Error
		open     bool
		want     *provider.Error
	}{
		"the first of equals":                        {failures: []*provider.Error{limited, lost}, want: limited},
		"the client's fault before others":           {failures: []*provider.Error{limited, lost, moderated}, want: moderated},
		"what may be billed before the rest":         {failures: []*provider.Error{limited, moderated, lost}, open: true, want: lost},
		"what may be billed was another one's":       {failures: []*provider.Error{limited, moderated}, open: true, want: moderated},
		"nothing was sent, so nothing can be billed": {failures: []*provider.Error{lost, limited}, want: lost},
	} {
		t.Run(name, func(t *testing.T) {
			results, got := collect(make([]provider.ImageAnswer, len(tc.failures)), tc.failures, tc.open)
			if got != tc.want || len(results) != len(tc.failures) {
				t.Errorf("got %v of %d, want %v", got, len(results), tc.want)
			}
		})
	}
}

func TestGivenUp_isNoWordAboutTheTask(t *testing.T) {
	for _, class := range []provider.Class{
		provider.ClassRateLimited, provider.ClassOverloaded, provider.ClassNetwork, provider.ClassServerError,
	} {
		if e := publicError(givenUp(&provider.Error{Class: class, Status: http.StatusServiceUnavailable}), true); !e.NoRetry {
			t.Errorf("%s: the client is told to send the request again: %+v", class, e)
		}
	}
}
