package table_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// speakers are two voices.
func speakers() []v1alpha1.Voice {
	return []v1alpha1.Voice{
		{Name: "warm-female-en", ID: "English (Graceful) Lady", Label: "Warm", Language: "en"}, {Name: "anchor", ID: "zh_anchor"},
	}
}

func TestBuild_MediaRoutesAreServed(t *testing.T) {
	for modality, vendorName := range map[v1alpha1.Modality]v1alpha1.Provider{
		v1alpha1.ModalityImage: "MiniMax", v1alpha1.ModalityVideo: "Kling", v1alpha1.ModalitySpeech: "MiniMax", v1alpha1.ModalityMusic: "MiniMax",
	} {
		t.Run(string(modality), func(t *testing.T) {
			built, findings := table.Build(input(makeRoute("shop", "r").modality(modality), makeCredential("shop", "cred", vendor(vendorName, ""))))
			wantFinding(t, findings, "shop", "r", v1alpha1.ConditionAccepted, "True Accepted")
			wantFinding(t, findings, "shop", "r", v1alpha1.ConditionResolvedRefs, "True ResolvedRefs")
			r := built.Resolve("r")
			if r == nil || r.Modality != string(modality) || r.UsableTargets != 1 {
				t.Errorf("got %+v", r)
			}
			built, findings = table.Build(input(makeRoute("shop", "r").modality(modality), makeCredential("shop", "cred")))
			message := wantFinding(t, findings, "shop", "r", v1alpha1.ConditionResolvedRefs, "False/invalid Invalid")
			if want := "provider DeepSeek does not serve modality " + string(modality); !strings.Contains(message, want) {
				t.Errorf("the message %q does not say %q", message, want)
			}
			if built.Resolve("r").UsableTargets != 0 {
				t.Error("a target of a vendor that does something else can be used")
			}
		})
	}
}

func TestBuild_Voices(t *testing.T) {
	route := makeRoute("shop", "r").modality(v1alpha1.ModalitySpeech).with(func(s *v1alpha1.ModelRouteSpec) { s.Voices = speakers() })
	built, _ := table.Build(input(route, makeCredential("shop", "cred", vendor("MiniMax", ""))))
	r := built.Resolve("r")
	want := []table.Voice{
		{Name: "warm-female-en", ID: "English (Graceful) Lady", Label: "Warm", Language: "en"}, {Name: "anchor", ID: "zh_anchor"},
	}
	if diff := cmp.Diff(want, r.Voices); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for name, wantID := range map[string]string{"warm-female-en": "English (Graceful) Lady", "anchor": "zh_anchor", "zh_anchor": "", "": ""} {
		v, ok := r.Voice(name)
		if v.ID != wantID || ok != (wantID != "") {
			t.Errorf("voice %q is %q, %t; want %q", name, v.ID, ok, wantID)
		}
	}
}

func TestBuild_Results(t *testing.T) {
	for modality, vendorName := range map[v1alpha1.Modality]v1alpha1.Provider{v1alpha1.ModalityVideo: "Kling", v1alpha1.ModalityMusic: "MiniMax"} {
		for name, tc := range map[string]struct {
			results *v1alpha1.Results
			want    bool
		}{
			"unset":     {nil, false},
			"as it is":  {&v1alpha1.Results{}, false},
			"by proxy":  {&v1alpha1.Results{Proxy: true}, true},
			"no proxy!": {&v1alpha1.Results{Proxy: false}, false},
		} {
			route := makeRoute("shop", "r").modality(modality).with(func(s *v1alpha1.ModelRouteSpec) { s.Results = tc.results })
			built, _ := table.Build(input(route, makeCredential("shop", "cred", vendor(vendorName, ""))))
			if r := built.Resolve("r"); r == nil || r.ProxyResults != tc.want {
				t.Errorf("%s, %s: got %+v, want %t", modality, name, r, tc.want)
			}
		}
	}
}

func TestBuild_RefusesWhatIsOfAnotherModality(t *testing.T) {
	withVoices := func(v ...v1alpha1.Voice) func(*v1alpha1.ModelRouteSpec) {
		return func(s *v1alpha1.ModelRouteSpec) { s.Voices = v }
	}
	withResults := func(s *v1alpha1.ModelRouteSpec) { s.Results = &v1alpha1.Results{} }
	tests := map[string]struct {
		modality v1alpha1.Modality
		change   func(*v1alpha1.ModelRouteSpec)
		wantPart string
	}{
		"voices that chat":       {"", withVoices(speakers()...), "voices are for modality Speech"},
		"voices that sing":       {v1alpha1.ModalityMusic, withVoices(speakers()...), "voices are for modality Speech"},
		"voices of one name":     {v1alpha1.ModalitySpeech, withVoices(speakers()[0], speakers()[0]), `the name "warm-female-en" appears twice`},
		"a voice without a name": {v1alpha1.ModalitySpeech, withVoices(v1alpha1.Voice{ID: "x"}), "voices[0] needs a name and an id"},
		"a voice without an id":  {v1alpha1.ModalitySpeech, withVoices(v1alpha1.Voice{Name: "x", ID: " "}), "voices[0] needs a name and an id"},
		"files of a chat":        {"", withResults, "results is for modality Video or Music"},
		"files of an image":      {v1alpha1.ModalityImage, withResults, "results is for modality Video or Music"},
		"files of speech":        {v1alpha1.ModalitySpeech, withResults, "results is for modality Video or Music"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			route := makeRoute("shop", "r").modality(tc.modality).with(tc.change)
			built, findings := table.Build(input(route, makeCredential("shop", "cred", vendor("MiniMax", ""))))
			message := wantFinding(t, findings, "shop", "r", v1alpha1.ConditionAccepted, "False/invalid Invalid")
			if !strings.Contains(message, tc.wantPart) {
				t.Errorf("the message %q does not say %q", message, tc.wantPart)
			}
			if built.Resolve("r") != nil {
				t.Error("the route is served")
			}
		})
	}
}

func TestBuild_FallbacksAreOfTheSameModality(t *testing.T) {
	minimax := makeCredential("shop", "cred", vendor("MiniMax", ""))
	speech := makeRoute("shop", "speech").modality(v1alpha1.ModalitySpeech).fallbacks("speech-2", "music", "chat")
	built, findings := table.Build(input(speech, minimax, makeRoute("shop", "speech-2").modality(v1alpha1.ModalitySpeech),
		makeRoute("shop", "music").modality(v1alpha1.ModalityMusic), makeRoute("shop", "chat")))
	message := wantFinding(t, findings, "shop", "speech", v1alpha1.ConditionResolvedRefs, "False/degraded FallbackUnresolved")
	for _, part := range []string{`"music" is of modality Music`, `"chat" is of modality Chat`} {
		if !strings.Contains(message, part) {
			t.Errorf("the message %q does not say %q", message, part)
		}
	}
	if f := built.Resolve("speech").Fallbacks; len(f) != 1 || f[0].Model != "speech-2" {
		t.Errorf("the fallbacks are %v", f)
	}
}
