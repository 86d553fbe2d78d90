package ark

import (
	"fmt"
	"strings"
	"testing"
)

func TestImageModelOf(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"doubao-seedream-4-5-251128": "Seedream 4.5", "seedream-4-5-251128": "Seedream 4.5",
		"doubao-seedream-4-0-250828": "Seedream 4.0", "seedream-4-0-250828": "Seedream 4.0",
		"doubao-seedream-5-0-260128": "Seedream 5.0", "doubao-seedream-5-0-pro-260628": "Seedream 5.0",
		"seedream-5-0-260128": "Seedream 5.0", "seedream-5-0-lite-260128": "Seedream 5.0", "dola-seedream-5-0-pro-260628": "Seedream 5.0",
		"doubao-seedream-3-0-t2i-250415": "Seedream 3.0", "doubao-seededit-3-0-i2i-250628": "SeedEdit 3.0",
		"ep-20260101000000-abcde": "Seedream", "doubao-seedream-6-0-270101": "Seedream",
	}
	for id, want := range tests {
		if got := imageModelOf(id); got.name != want {
			t.Errorf("imageModelOf(%q) = %s, want %s", id, got.name, want)
		}
	}
}

func TestSizeFor(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		model string
		want  map[string]string // asked: sent, or what the message of the refusal holds
	}{
		"4.5": {"seedream-4-5-251128", map[string]string{
			// The sizes of OpenAI's models.
			"256x256": "2048x2048", "512x512": "2048x2048", "1024x1024": "2048x2048", "1536x1024": "2496x1664", "1024x1536": "1664x2496",
			"1792x1024": "2560x1440", "1024x1792": "1440x2560", "2048x2048": "2048x2048", "3840x2160": "3840x2160",
			// What the model takes stays as it is, up to both ends.
			"1920x1920": "1920x1920", "4096x4096": "4096x4096", "3750x1250": "3750x1250", "7680x480": "7680x480",
			"16384x1024": "16384x1024",
			// The vendor's own example of a size that is too small.
			"1500x1500": "2048x2048",
			// Recommended ratios, and others, which keep theirs.
			"800x600": "2304x1728", "600x800": "1728x2304", "2100x900": "3024x1296", "1280x1024": "2148x1718", "1024x1280": "1718x2148",
			"900x300": "3327x1109", "300x900": "1109x3327", "160x10": "7680x480", "10x160": "480x7680", "1x1": "2048x2048",
			"4097x4096": "!3686400 to 16777216 pixels", "16385x2048": "!3686400 to 16777216 pixels",
			"161x10": "!1:16 to 16:1", "10x161": "!1:16 to 16:1", "8000x400": "!1:16 to 16:1", "999999999x999999999": "!16777216",
			"1024x0": "!Seedream 4.5 cannot make 1024x0",
		}},
		"4.0": {"seedream-4-0-250828", map[string]string{
			"1024x1024": "1024x1024", "1280x720": "1280x720", "512x512": "2048x2048", "1500x500": "1665x555", "4096x4096": "4096x4096",
		}},
		"5.0": {"seedream-5-0-260128", map[string]string{
			"1024x1024": "2048x2048", "3225x3225": "3225x3225", "3226x3226": "!3686400 to 10404496 pixels", "4096x4096": "!10404496",
		}},
		"3.0": {"doubao-seedream-3-0-t2i-250415", map[string]string{
			"1024x1024": "1024x1024", "512x512": "512x512", "2048x2048": "2048x2048", "256x256": "1024x1024", "480x640": "864x1152",
			"1792x1024": "1792x1024", "4096x512": "!sides of 512 to 2048", "2049x2048": "!262144 to 4194304 pixels",
			"200x1000": "!sides of 512 to 2048",
		}},
		"an endpoint": {"ep-20260101000000-abcde", map[string]string{
			"1024x1024": "2048x2048", "3840x2160": "3840x2160", "2000x100": "!1:16 to 16:1", "5000x5000": "!16777216",
		}},
	}
	for name, tc := range tests {
		for asked, want := range tc.want {
			t.Run(name+" "+asked, func(t *testing.T) {
				t.Parallel()
				m := imageModelOf(tc.model)
				got, err := m.sizeFor(parseSize(t, asked))
				if part, refused := strings.CutPrefix(want, "!"); refused {
					if e := refusal(t, err); e.Param != "size" || !strings.Contains(e.Message, part) {
						t.Errorf("%s: %s; want %q", e.Param, e.Message, part)
					}
					return
				}
				if err != nil || got.String() != want {
					t.Errorf("sizeFor() = %v, %v; want %s", got, err, want)
				}
			})
		}
	}
}

// parseSize reads WIDTHxHEIGHT.
func parseSize(t *testing.T, text string) size {
	t.Helper()
	var s size
	if _, err := fmt.Sscanf(text, "%dx%d", &s.width, &s.height); err != nil {
		t.Fatal(err)
	}
	return s
}
