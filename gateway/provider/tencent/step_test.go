package tencent

import (
	"net/http"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// expired is a refusal of a signature, with the vendor's time if there is one.
func expired(at time.Time) *provider.Response {
	r := respond(`"Error":{"Code":"AuthFailure.SignatureExpire","Message":"too old"},"RequestId":"r1"`)
	if !at.IsZero() {
		r.Header.Set("Date", at.Format(http.TimeFormat))
	}
	return r
}

// steps are calls of each kind, as what their answers come to.
func steps(t *testing.T) map[string]*provider.Step[string] {
	t.Helper()
	up := upstream()
	plan, err := images{}.Generate(t.Context(), up, &provider.ImageRequest{Prompt: "a cat", N: 2, Now: tuesday})
	if err != nil {
		t.Fatal(err)
	}
	poll, err := images{}.PollImages(t.Context(), up, &provider.ImageRequest{Now: tuesday}, provider.Task{ID: "1"})
	if err != nil {
		t.Fatal(err)
	}
	submission, err := videos{}.SubmitVideo(t.Context(), up, &provider.VideoRequest{Prompt: "a cat", Now: tuesday})
	if err != nil {
		t.Fatal(err)
	}
	look, err := videos{}.Poll(t.Context(), up, provider.Task{ID: "1"}, tuesday)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*provider.Step[string]{
		"an image": told(plan.Steps[1]), "an image's poll": told(poll), "a video": told(submission.Step), "a video's poll": told(look),
	}
}

// told is a step whose result does not matter.
func told[T any](s *provider.Step[T]) *provider.Step[string] {
	if s == nil {
		return nil
	}
	return &provider.Step[string]{Request: s.Request, Paid: s.Paid, Read: func(r *provider.Response) (string, *provider.Step[string], error) {
		_, next, err := s.Read(r)
		return "", told(next), err
	}}
}

func TestSignatureThatIsTooOldIsMadeAnew(t *testing.T) {
	t.Parallel()
	later := tuesday.Add(17 * time.Minute)
	for name, step := range steps(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, next, err := step.Read(expired(later))
			if err != nil || next == nil {
				t.Fatalf("Read() next = %v, error = %v; want the same call again", next, err)
			}
			a, b := step.Request, next.Request
			if next.Paid != step.Paid || b.URL.String() != a.URL.String() || bodyOf(t, b) != bodyOf(t, a) {
				t.Errorf("the second call is %s %s, paid %v", b.URL, bodyOf(t, b), next.Paid)
			}
			if b.Header.Get("X-TC-Timestamp") != timestamp(later) || a.Header.Get("X-TC-Timestamp") != timestamp(tuesday) {
				t.Errorf("signed at %s, then at %s", a.Header.Get("X-TC-Timestamp"), b.Header.Get("X-TC-Timestamp"))
			}
			if b.Header.Get("Authorization") == a.Header.Get("Authorization") || b.Header.Get("X-TC-Region") != "ap-guangzhou" {
				t.Errorf("header = %v", b.Header)
			}
			if _, third, err := next.Read(expired(later.Add(time.Hour))); third != nil || errorOf(t, err).Class != provider.ClassUnauthorized {
				t.Errorf("after the second refusal: %v, %v; want an error", third, err)
			}
		})
	}
}

func TestSignatureThatIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	page := expired(tuesday.Add(time.Hour))
	page.Status = http.StatusForbidden
	other := respond(`"Error":{"Code":"AuthFailure.SignatureFailure","Message":"wrong"}`)
	other.Header.Set("Date", tuesday.Add(time.Hour).Format(http.TimeFormat))
	date := expired(time.Time{})
	date.Header.Set("Date", "yesterday")
	tests := map[string]*provider.Response{
		"the vendor does not tell its time":          expired(time.Time{}),
		"the vendor's time is none":                  date,
		"the vendor's time is that of the signature": expired(tuesday.Add(59 * time.Second)),
		"a signature that is wrong":                  other,
		"a status that is not the vendor's":          page,
	}
	for name, r := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kind, step := range steps(t) {
				_, next, err := step.Read(r)
				if e := errorOf(t, err); next != nil || e.Class != provider.ClassUnauthorized {
					t.Errorf("%s: %v, %v; want an error of class unauthorized", kind, next, err)
				}
			}
		})
	}
}
