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
		"Ark", "Baichuan", "DeepSeek", "DoubaoSpeech", "Kling", "MiMo", "MiniMax", "Moonshot", "Mureka", "OpenAI", "Qianfan", "Qwen", "SiliconFlow",
		"Spark", "StepFun", "Tencent", "TokenHub", "Vidu", "Yi", "Zhipu",
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
			for modality, served := range map[provider.Modality]bool{
				provider.ModalityChat: a.Chat != nil, provider.ModalityImage: a.Image != nil, provider.ModalityVideo: a.Video != nil,
				provider.ModalitySpeech: a.Speech != nil, provider.ModalityMusic: a.Music != nil,
			} {
				if a.Info.Serves(modality) != served {
					t.Errorf("Info says %v, but the adapter serves %s: %v", a.Info.Modalities, modality, served)
				}
			}
			if slices.Sort(a.Info.Modalities); len(slices.Compact(slices.Clone(a.Info.Modalities))) != len(a.Info.Modalities) {
				t.Errorf("modalities %v", a.Info.Modalities)
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
