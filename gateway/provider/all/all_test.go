package all

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestAdapters(t *testing.T) {
	t.Parallel()
	adapters := Adapters()
	want := []string{
		"Ark", "Baichuan", "DeepSeek", "MiMo", "MiniMax", "Moonshot", "OpenAI", "Qianfan", "Qwen", "SiliconFlow", "Spark", "StepFun",
		"TokenHub", "Yi", "Zhipu",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(adapters))); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for name, a := range adapters {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if a.Info.Name != name {
				t.Errorf("the adapter is named %q", a.Info.Name)
			}
			if a.Info.Serves(provider.ModalityChat) != (a.Chat != nil) {
				t.Errorf("Info says chat: %v, but the adapter has the capability: %v", a.Info.Modalities, a.Chat != nil)
			}
			if len(a.Info.Entries) == 0 {
				t.Error("no entry of the Secret is named")
			}
			if (len(a.Info.Regions) == 0) != (name == "OpenAI") {
				t.Errorf("regions = %v", a.Info.Regions)
			}
			seen := map[string]bool{}
			for _, r := range a.Info.Regions {
				u, err := url.Parse(r.Endpoint)
				if err != nil || u.Scheme != "https" || u.Path != "" || u.User != nil || strings.HasSuffix(r.Endpoint, "/") {
					t.Errorf("region %s: %q is no root", r.Name, r.Endpoint)
				}
				if r.Name == "" || seen[r.Name] || seen[r.Endpoint] {
					t.Errorf("region %q or its endpoint appears twice", r.Name)
				}
				seen[r.Name], seen[r.Endpoint] = true, true
			}
		})
	}
}
