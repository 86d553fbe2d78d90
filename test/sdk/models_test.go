package sdk_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// list returns all models by their names.
func list(t *testing.T, client openai.Client, opts ...option.RequestOption) map[string]openai.Model {
	t.Helper()
	models := map[string]openai.Model{}
	pager := client.Models.ListAutoPaging(t.Context(), opts...)
	for pager.Next() {
		models[pager.Current().ID] = pager.Current()
	}
	if err := pager.Err(); err != nil {
		t.Fatal(err)
	}
	return models
}

func TestModels_listShowsWhatAKeyCanUse(t *testing.T) {
	w := newWorld(t)
	for name, tc := range map[string]struct {
		key  string
		want []string
	}{
		"all models and one granted preview": {"main", []string{
			"conformance/general:v1", "conformance/granted", "conformance/hasty", "conformance/hasty-image", "conformance/hasty-video",
			"conformance/private", "conformance/proxied-video", "deepseek-v4-pro",
		}},
		"a pattern": {"narrow", []string{"deepseek-v4-pro"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for id, m := range list(t, w.client(tc.key)) {
				got = append(got, id)
				if m.Object != "model" || m.OwnedBy == "" || len(m.JSON.ExtraFields) > 0 {
					t.Errorf("model is %s", m.RawJSON())
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("models (-want +got):\n%s", diff)
			}
		})
	}
}

func TestModels_detailStaysInExtraFields(t *testing.T) {
	w := newWorld(t)
	m := list(t, w.client(""), option.WithQuery("detail", "1"))[general]
	for name, want := range map[string]string{"label": `"General"`, "org": `"Conformance"`, "ctx": "4000000", "tags": `["test","tools"]`} {
		if got := m.JSON.ExtraFields[name].Raw(); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if pricing := m.JSON.ExtraFields["pricing"].Raw(); !strings.Contains(pricing, `"0.5"`) {
		t.Errorf("pricing is %s", pricing)
	}
}

func TestModels_getTakesNamesWithSlashes(t *testing.T) {
	w := newWorld(t)
	client := w.client("")
	if m, err := client.Models.Get(t.Context(), general); err != nil || m.ID != general {
		t.Errorf("got %v (%v)", m, err)
	}
	for _, id := range []string{"gpt-4", "conformance/preview", "conformance/soon"} {
		_, err := client.Models.Get(t.Context(), id)
		var e *openai.Error
		if !errors.As(err, &e) || e.StatusCode != http.StatusNotFound || e.Code != "unknown_model" {
			t.Errorf("%s: got %v", id, err)
		}
	}
}
