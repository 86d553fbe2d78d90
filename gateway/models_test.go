package gateway

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/table"
)

// detailJSON is what a client sees of a route, as a tree.
func detailJSON(t *testing.T, r *table.Route) map[string]any {
	t.Helper()
	body, err := modelOf(r, true).JSON()
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(body, &tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestModelOf_showsThePricesOfEveryModality(t *testing.T) {
	yes := true
	pricing := &table.Pricing{
		Currency: "USD",
		Declared: table.DeclaredPrices{
			InputPerMillionTokens: "1", PerImage: "2", PerSecond: "0.30", PerVideo: "4", PerMillionCharacters: "5", PerSong: "6", PerRequest: "7",
		},
		Variants: []table.PriceVariant{
			{Name: "long", InputTokensAbove: 0, Declared: table.DeclaredPrices{InputPerMillionTokens: "8"}},
			{Name: "hd", InputTokensAbove: -1, Resolution: "1080p", Audio: &yes, Declared: table.DeclaredPrices{PerSecond: "9"}},
			{Name: "silent", InputTokensAbove: -1, Audio: new(false), Declared: table.DeclaredPrices{PerVideo: "10"}},
		},
	}
	want := map[string]any{
		"currency": "USD", "input_per_million_tokens": "1", "per_image": "2", "per_second": "0.30", "per_video": "4",
		"per_million_characters": "5", "per_song": "6", "per_request": "7",
		"variants": []any{
			map[string]any{"name": "long", "when": map[string]any{"input_tokens_above": 0.0}, "input_per_million_tokens": "8"},
			map[string]any{"name": "hd", "when": map[string]any{"resolution": "1080p", "audio": true}, "per_second": "9"},
			map[string]any{"name": "silent", "when": map[string]any{"audio": false}, "per_video": "10"},
		},
	}
	got := detailJSON(t, &table.Route{Model: "m", Modality: "Video", Pricing: pricing})
	if diff := cmp.Diff(any(want), got["pricing"]); diff != "" {
		t.Errorf("pricing (-want +got):\n%s", diff)
	}
	if got["modality"] != "video" {
		t.Errorf("the modality is %v", got["modality"])
	}
}

func TestModelOf_showsPublicNamesOfVoicesAlone(t *testing.T) {
	r := &table.Route{Model: "m", Modality: "Speech", Voices: []table.Voice{
		{Name: "warm-female-en", ID: "English_Graceful_Lady", Label: "Warm", Language: "en"}, {Name: "anchor", ID: "zh_anchor"},
	}}
	want := []any{map[string]any{"id": "warm-female-en", "label": "Warm", "language": "en"}, map[string]any{"id": "anchor"}}
	if diff := cmp.Diff(any(want), detailJSON(t, r)["voices"]); diff != "" {
		t.Errorf("voices (-want +got):\n%s", diff)
	}
	if voices, shown := detailJSON(t, &table.Route{Model: "m", Modality: "Chat"})["voices"]; shown {
		t.Errorf("a route without voices shows %v", voices)
	}
}
