package feature_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway"
	"vipcloud.ai/vipcloud/test/sim"
)

func TestSurface_keys(t *testing.T) {
	e := simple(t)
	past := metav1.NewTime(time.Now().Add(-time.Hour))
	e.key(shop, "expired", "vc-sk-expired-expired-expired-expired-expired", func(s *v1alpha1.ApiKeySpec) { s.ExpiresAt = &past })
	e.key(shop, "revoked", "vc-sk-revoked-revoked-revoked-revoked-revoked", func(s *v1alpha1.ApiKeySpec) { s.Revoked = true })
	for name, tc := range map[string]struct{ authorization, code string }{
		"missing":        {"", "invalid_api_key"},
		"wrong":          {"Bearer " + otherKey, "invalid_api_key"},
		"no scheme":      {testKey, "invalid_api_key"},
		"another scheme": {"Basic " + testKey, "invalid_api_key"},
		"empty token":    {"Bearer ", "invalid_api_key"},
		"enormous token": {"Bearer " + strings.Repeat("k", 4000), "invalid_api_key"},
		"expired":        {"Bearer vc-sk-expired-expired-expired-expired-expired", "key_expired"},
		"revoked":        {"Bearer vc-sk-revoked-revoked-revoked-revoked-revoked", "key_revoked"},
	} {
		t.Run(name, func(t *testing.T) {
			resp := e.do("POST", "/v1/chat/completions", chat("deepseek-v4-pro", "x"), "Authorization", tc.authorization)
			got := wantError(t, resp, 401, "invalid_api_key", tc.code)
			if strings.Contains(got.Error.Message, "vc-sk") || resp.Header.Get("Www-Authenticate") != "Bearer" {
				t.Errorf("message %q, headers %v", got.Error.Message, resp.Header)
			}
		})
	}
	if resp := e.do("GET", "/v1/models", "", "Authorization", "bearer   "+testKey); resp.StatusCode != http.StatusOK {
		t.Errorf("a lower-case scheme is refused: %d", resp.StatusCode)
	}
	for _, line := range e.log.requests() {
		if line["status"] == float64(401) && line["keyPrefix"] != nil {
			t.Errorf("a key that did not authenticate is logged: %v", line)
		}
	}
}

func TestSurface_modelsAreThoseThatTheKeyCanUseNow(t *testing.T) {
	e := newEnv(t)
	e.route("live", "", "openai").Spec.Display = &v1alpha1.Display{Label: "Live One", Org: "Acme", ContextWindow: 1000, Tags: []string{"a"}}
	e.route("org/with-slash", "", "openai")
	e.route("granted", "", "openai").Spec.Availability = v1alpha1.AvailabilityPreview
	e.route("preview", "", "openai").Spec.Availability = v1alpha1.AvailabilityPreview
	e.route("soon", "").Spec.Availability = v1alpha1.AvailabilitySoon
	e.route("other-namespaces", "", "openai").Spec.AllowedKeys = &v1alpha1.AllowedNamespaces{
		Namespaces: v1alpha1.NamespaceSelection{From: v1alpha1.NamespacesFromSame},
	}
	e.key(shop, "shop", testKey, func(s *v1alpha1.ApiKeySpec) { s.PreviewModels = []v1alpha1.ModelGlob{"grant*"} })
	e.apply()

	list := read(t, e.do("GET", "/v1/models", ""))
	ids := []string{}
	for _, m := range gjson.Get(list, "data").Array() {
		ids = append(ids, m.Get("id").Str)
		members := []string{}
		m.ForEach(func(k, _ gjson.Result) bool { members = append(members, k.Str); return true })
		if diff := cmp.Diff([]string{"id", "object", "created", "owned_by"}, members); diff != "" {
			t.Errorf("members of a model (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff([]string{"granted", "live", "org/with-slash"}, ids); diff != "" {
		t.Errorf("models (-want +got):\n%s", diff)
	}
	detail := read(t, e.do("GET", "/v1/models?detail=1", ""))
	if got := gjson.Get(detail, "data.1.label").Str; got != "Live One" {
		t.Errorf("detail: %s", detail)
	}
	for _, path := range []string{"/v1/models/org/with-slash", "/v1/models/org%2Fwith-slash", "/v1/models/org/with-slash/", "//v1//models/org%2Fwith-slash"} {
		if got := gjson.Get(read(t, e.do("GET", path, "")), "id").Str; got != "org/with-slash" {
			t.Errorf("%s gives model %q", path, got)
		}
	}
	for model, want := range map[string][2]string{
		"none":             {"model_not_found", "unknown_model"},
		"other-namespaces": {"model_not_found", "unknown_model"},
		"preview":          {"model_unavailable", "preview"},
		"soon":             {"model_unavailable", "soon"},
	} {
		resp := e.do("POST", "/v1/chat/completions", chat(model, "x"))
		status := http.StatusNotFound
		if want[0] == "model_unavailable" {
			status = http.StatusServiceUnavailable
			if resp.Header.Get("X-Should-Retry") != "false" {
				t.Errorf("%s: an SDK would repeat the call", model)
			}
		}
		wantError(t, resp, status, want[0], want[1])
	}
	if got := wantError(t, e.do("POST", "/v1/chat/completions", chat("gpt-4", "x")), 404, "model_not_found", "unknown_model"); got.Error.Message != "Unknown model 'gpt-4'." {
		t.Errorf("message %q", got.Error.Message)
	}
}

// TestSurface_modelsWithoutATargetAreNotListed: a model is listed if its declaration lets it be served, whatever its vendor does at the
// moment.
func TestSurface_modelsWithoutATargetAreNotListed(t *testing.T) {
	e := newEnv(t)
	e.route("served", "", "openai")
	e.route("broken", "", "nowhere")
	e.route("drained", "", "openai").Spec.Targets[0].Weight = new(int32(0))
	e.route("rescued", "", "nowhere").Spec.Fallbacks = []v1alpha1.ModelName{"served"}
	e.route("rescued-in-vain", "", "nowhere").Spec.Fallbacks = []v1alpha1.ModelName{"broken"}
	e.key(shop, "shop", testKey, nil)
	e.server.Apply(e.input) // with findings
	listed := func() []string {
		ids := []string{}
		for _, m := range gjson.Get(read(t, e.do("GET", "/v1/models", "")), "data").Array() {
			ids = append(ids, m.Get("id").Str)
		}
		return ids
	}
	want := []string{"rescued", "served"}
	if diff := cmp.Diff(want, listed()); diff != "" {
		t.Errorf("models (-want +got):\n%s", diff)
	}
	for _, model := range []string{"broken", "drained", "rescued-in-vain"} {
		wantError(t, e.do("GET", "/v1/models/"+model, ""), 404, "model_not_found", "unknown_model")
		wantError(t, e.do("POST", "/v1/chat/completions", chat(model, "x")), 503, "model_unavailable", "no_healthy_target")
	}
	if resp := e.do("POST", "/v1/chat/completions", chat("rescued", "x")); resp.StatusCode != http.StatusOK {
		t.Errorf("a listed model is answered %d", resp.StatusCode)
	}

	e.vendors.Vendor(sim.OpenAI).FailAlways(sim.Unauthorized)
	for range 5 {
		_ = e.do("POST", "/v1/chat/completions", chat("served", "x")).Body.Close()
	}
	if n := len(e.server.Ejected()); n != 1 {
		t.Fatalf("%d targets are ejected, want the refused one", n)
	}
	if diff := cmp.Diff(want, listed()); diff != "" {
		t.Errorf("models while a vendor fails (-want +got):\n%s", diff)
	}
}

func TestSurface_catalogNeedsNoKeyAndShowsPreviewAndSoon(t *testing.T) {
	e := newEnv(t)
	price := v1alpha1.Decimal("0.28")
	e.route("live", "", "openai").Spec.Pricing = &v1alpha1.Pricing{Currency: "USD", Prices: v1alpha1.Prices{InputPerMillionTokens: &price}}
	e.route("soon", "").Spec.Availability = v1alpha1.AvailabilitySoon
	e.route("hidden", "", "openai").Spec.Visibility = v1alpha1.VisibilityPrivate
	e.apply()
	resp := e.do("GET", "/v1/catalog", "", "Authorization", "Bearer wrong")
	body := read(t, resp)
	if got := gjson.Get(body, "data.#.id").String(); got != `["live","soon"]` {
		t.Errorf("catalog lists %s", got)
	}
	if got := gjson.Get(body, "data.0.pricing.input_per_million_tokens").Str; got != "0.28" {
		t.Errorf("price is %q in %s", got, body)
	}
	if strings.Contains(body, "127.0.0.1") {
		t.Errorf("catalog names an upstream: %s", body)
	}
	want := map[string]string{"Cache-Control": "public, max-age=60", "Access-Control-Allow-Origin": "*"}
	for k, v := range want {
		if resp.Header.Get(k) != v {
			t.Errorf("%s is %q", k, resp.Header.Get(k))
		}
	}
	again := e.do("GET", "/v1/catalog", "", "If-None-Match", resp.Header.Get("Etag"))
	if again.StatusCode != http.StatusNotModified || read(t, again) != "" {
		t.Errorf("a known catalog is answered with %d", again.StatusCode)
	}
}

func TestSurface_methodsAndPaths(t *testing.T) {
	e := simple(t)
	for name, tc := range map[string]struct {
		method, path string
		status       int
		code, allow  string
	}{
		"get on a post path":    {"GET", "/v1/chat/completions", 405, "method_not_allowed", "OPTIONS, POST"},
		"delete on a get path":  {"DELETE", "/v1/models", 405, "method_not_allowed", "GET, HEAD, OPTIONS"},
		"unknown path":          {"GET", "/v1/nothing", 404, "unknown_url", ""},
		"root":                  {"GET", "/", 404, "unknown_url", ""},
		"case matters":          {"GET", "/V1/models", 404, "unknown_url", ""},
		"dot segments stay":     {"GET", "/v1/../v1/models", 404, "unknown_url", ""},
		"trailing slash":        {"GET", "/v1/models/", 200, "", ""},
		"doubled slashes":       {"GET", "//v1//models", 200, "", ""},
		"head":                  {"HEAD", "/v1/models", 200, "", ""},
		"options without a key": {"OPTIONS", "/v1/chat/completions", 204, "", "OPTIONS, POST"},
	} {
		t.Run(name, func(t *testing.T) {
			header := []string{}
			if tc.method == "OPTIONS" {
				header = []string{"Authorization", "", "Access-Control-Request-Headers", "authorization,x-stainless-os"}
			}
			resp := e.do(tc.method, tc.path, "", header...)
			if resp.StatusCode != tc.status || resp.Header.Get("Allow") != tc.allow {
				t.Errorf("status %d, Allow %q", resp.StatusCode, resp.Header.Get("Allow"))
			}
			switch {
			case tc.code != "":
				body := read(t, resp)
				if got := gjson.Get(body, "error.code").Str; got != tc.code {
					t.Errorf("code %q in %s", got, body)
				}
			case tc.method == "HEAD":
				if got := read(t, resp); got != "" {
					t.Errorf("HEAD has a body: %q", got)
				}
			case tc.method == "OPTIONS":
				if got := resp.Header.Get("Access-Control-Allow-Headers"); got != "authorization,x-stainless-os" {
					t.Errorf("allowed headers %q", got)
				}
			}
		})
	}
	if n := len(e.ledger("DeepSeek")); n != 0 {
		t.Errorf("%d requests reached the upstream", n)
	}
}

func TestSurface_limits(t *testing.T) {
	e := simple(t, func(o *gateway.Options) {
		o.BodyBytes, o.InFlightBodyBytes, o.HeaderBytes = 1000, 1500, 2000
	})
	big := chat("deepseek-v4-pro", strings.Repeat("x", 2000))
	wantError(t, e.do("POST", "/v1/chat/completions", big), 413, "invalid_request_error", "body_too_large")
	wantError(t, e.do("GET", "/v1/models", "", "X-Big", strings.Repeat("h", 3000)), 431, "invalid_request_error", "headers_too_large")

	// A chunked body of unknown length meets the same limit.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.base+"/v1/chat/completions", struct{ *strings.Reader }{strings.NewReader(big)})
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testKey)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	wantError(t, resp, 413, "invalid_request_error", "body_too_large")
}

func TestSurface_bodiesInFlightAreBounded(t *testing.T) {
	e := simple(t, func(o *gateway.Options) { o.BodyBytes, o.InFlightBodyBytes = 2000, 2000 })
	e.vendors.Vendor("DeepSeek").FailAlways("stall_first")
	big := chat("deepseek-v4-pro", strings.Repeat("x", 1200))
	go func() {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, e.base+"/v1/chat/completions", strings.NewReader(big))
		req.Header.Set("Authorization", "Bearer "+testKey)
		if resp, err := client.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	eventually(t, "first request at the upstream", func() bool { return e.vendors.Vendor("DeepSeek").InFlight() == 1 })
	resp := e.do("POST", "/v1/chat/completions", big)
	wantError(t, resp, 503, "model_unavailable", "overloaded")
	if resp.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", resp.Header.Get("Retry-After"))
	}
}

func TestSurface_requestIDsOfClientsAreKeptIfTheyCanStandInALogLine(t *testing.T) {
	e := simple(t)
	for id, kept := range map[string]bool{"my-id.1:a_b": true, "with space": false, `quote"`: false, strings.Repeat("x", 200): false} {
		got := e.do("GET", "/v1/models", "", "X-Request-Id", id).Header.Get("X-Request-Id")
		if (got == id) != kept || got == "" {
			t.Errorf("id %q became %q", id, got)
		}
	}
}
