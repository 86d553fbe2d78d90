package dashscope

import "testing"

func TestSizeFor(t *testing.T) {
	t.Parallel()
	// Of each model, what a client asks for and what the vendor is asked for; "" is a refusal.
	tests := map[string]map[size]string{
		"wan2.7-image": {
			{256, 256}: "1024x1024", {512, 512}: "1024x1024", {1024, 1024}: "1024x1024", {1536, 1024}: "1536x1024",
			{1024, 1536}: "1024x1536", {1792, 1024}: "1792x1024", {1024, 1792}: "1024x1792", {2048, 2048}: "2048x2048",
			{768, 768}: "768x768", {767, 768}: "1024x1024", {640, 360}: "1792x1024", {360, 640}: "1024x1792", {400, 300}: "1152x864",
			{1024, 512}: "1088x544", {512, 1024}: "544x1088", {800, 100}: "2176x272", {100, 800}: "272x2176", {799, 100}: "2176x272",
			{8, 1}: "2176x272", {5793, 724}: "", {5792, 724}: "5792x724",
			{2049, 2048}: "", {3840, 2160}: "", {801, 100}: "", {1, 9}: "", {0, 1024}: "", {-1, -1}: "", {1 << 40, 1 << 40}: "",
		},
		"wan2.7-image-pro": {
			{512, 512}: "1024x1024", {3840, 2160}: "3840x2160", {4096, 4096}: "4096x4096", {4097, 4096}: "", {8192, 1024}: "8192x1024",
		},
		"wan2.6-t2i": {
			{1024, 1024}: "1280x1280", {1536, 1024}: "1584x1056", {1024, 1536}: "1056x1584", {1792, 1024}: "1792x1024",
			{512, 512}: "1280x1280", {1440, 1440}: "1440x1440", {1441, 1440}: "", {2880, 720}: "2880x720", {2881, 720}: "",
			{400, 100}: "2560x640", {300, 100}: "2256x752", {2048, 2048}: "",
		},
		"wan2.5-t2i-preview": {
			{512, 512}: "1024x1024", {768, 2700}: "768x2700", {4096, 4096}: "4096x4096", {0, 1}: "", {1 << 40, 1}: "",
		},
		"wan2.2-t2i-plus": {
			{256, 256}: "1024x1024", {512, 512}: "512x512", {1024, 1024}: "1024x1024", {1440, 1440}: "1440x1440", {1441, 512}: "",
			{1792, 1024}: "", {600, 200}: "", {1280, 500}: "1312x512", {300, 200}: "1440x960", {200, 300}: "960x1440", {1600, 100}: "",
		},
		"wan2.1-t2i-turbo":   {{511, 512}: "1024x1024"},
		"wanx2.1-t2i-turbo":  {{511, 512}: "1024x1024"},
		"wanx2.0-t2i-turbo":  {{511, 512}: "1024x1024"},
		"somebody/elses-t2i": {{512, 512}: "1024x1024", {8192, 8192}: "8192x8192"},
	}
	for id, sizes := range tests {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			m := imageModelOf(id)
			for ask, want := range sizes {
				got, err := m.sizeFor(ask, false)
				switch {
				case want == "":
					checkRefusal(t, err, "size", m.sizes[0].String())
				case err != nil || got.String() != want:
					t.Errorf("sizeFor(%v) = %v, %v; want %s", ask, got, err, want)
				}
			}
		})
	}
}

// A size that is asked for is one that the model takes, of about the ratio that the client wants.
func TestSizesAreTaken(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"wan2.7-image", "wan2.7-image-pro", "wan2.6-t2i", "wan2.5-t2i-preview", "wan2.2-t2i-plus", "any"} {
		m := imageModelOf(id)
		for _, s := range m.sizes {
			if !m.takes(s, true) {
				t.Errorf("%s does not take its usual size %v", id, s)
			}
		}
		for width := 1; width < 3000; width += 37 {
			for height := 1; height < 3000; height += 41 {
				s, err := m.sizeFor(size{width, height}, true)
				if err != nil {
					continue
				}
				ratio := float64(s.width*height) / float64(s.height*width)
				if !m.takes(s, true) || ratio < 0.93 || ratio > 1.07 {
					t.Fatalf("%s: %dx%d becomes %v", id, width, height, s)
				}
			}
		}
	}
}
