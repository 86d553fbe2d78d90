package sdk_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// mediaErrorCase is a request for an image, speech, video or song that fails.
type mediaErrorCase struct {
	errorCase
	Path, Says string
	// Calls is how often the vendor is called, nil if it does not matter.
	Calls *int
}

func TestMediaErrors_everyFailureIsTypedAndNoneIsBilledTwice(t *testing.T) {
	w := newWorld(t, catalog)
	for _, tc := range load[[]mediaErrorCase](t, "media_errors") {
		t.Run(tc.Name, func(t *testing.T) {
			var made calls
			client := w.client(tc.Key, option.WithMaxRetries(1), made.option())
			before := w.vendorCalls()
			_, err := call(t, client, tc.Path, tc.Body)
			checkError(t, &tc.errorCase, err)
			checkRetries(t, &tc.errorCase, &made)
			if e, ok := errors.AsType[*openai.Error](err); ok && !strings.Contains(e.Message, tc.Says) {
				t.Errorf("%q is not in %q", tc.Says, e.Message)
			}
			eventually(t, "no request at a vendor", func() bool { return w.vendors.InFlight() == 0 })
			if got := w.vendorCalls() - before; tc.Calls != nil && got != *tc.Calls {
				t.Errorf("%d calls of the vendor, want %d", got, *tc.Calls)
			}
		})
	}
}
