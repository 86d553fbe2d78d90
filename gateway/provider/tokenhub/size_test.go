package tokenhub

import (
	"math"
	"testing"
)

func TestSizeFor(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		asked size
		want  string
	}{
		"256x256":                         {size{256, 256}, "512:512"},
		"512x512":                         {size{512, 512}, "512:512"},
		"1024x1024":                       {size{1024, 1024}, "1024:1024"},
		"1536x1024":                       {size{1536, 1024}, "1216:832"},
		"1024x1536":                       {size{1024, 1536}, "832:1216"},
		"1792x1024":                       {size{1792, 1024}, "1280:720"},
		"1024x1792":                       {size{1024, 1792}, "720:1280"},
		"2048x2048":                       {size{2048, 2048}, "1024:1024"},
		"3840x2160":                       {size{3840, 2160}, "1280:720"},
		"4:3":                             {size{4096, 3072}, "1024:768"},
		"one that is made and not listed": {size{1000, 777}, "1000:777"},
		"the widest":                      {size{2048, 512}, "2048:512"},
		"the tallest, larger":             {size{1500, 6000}, "512:2048"},
		"the widest, smaller":             {size{400, 100}, "2048:512"},
		"one side too short":              {size{1500, 400}, "1920:512"},
		"one pixel too many":              {size{1025, 1024}, "1024:1024"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := sizeFor(tc.asked)
			if err != nil || got.String() != tc.want {
				t.Errorf("sizeFor() = %s, %v; want %s", got, err, tc.want)
			}
		})
	}
}

func TestSizesThatAreNotMade(t *testing.T) {
	t.Parallel()
	for name, asked := range map[string]size{
		"too wide": {2049, 512}, "too tall": {100, 401}, "one side": {1024, 0}, "the other side": {0, 1024}, "negative": {-512, -512},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if e := refusal(t, second(sizeFor(asked))); e.Param != "size" {
				t.Errorf("param = %s, want size", e.Param)
			}
		})
	}
}

// second is the error of two results.
func second[T any](_ T, err error) error { return err }

func TestListedSizesAreMade(t *testing.T) {
	t.Parallel()
	list := largest()
	if len(list) != 19 { // with the upright ones 37, of which the square is one
		t.Errorf("%d sizes, want 19", len(list))
	}
	for _, s := range list {
		if !s.made() || s.width < s.height {
			t.Errorf("%s is listed", s)
		}
	}
}

// TestEverySizeBecomesOneThatIsMade walks over sizes of all aspect ratios: what is sent is within the bounds, and differs in its
// ratio by less than a neighbour on the list does.
func TestEverySizeBecomesOneThatIsMade(t *testing.T) {
	t.Parallel()
	for width := 16; width <= 8192; width += 61 {
		for height := 16; height <= 8192; height += 67 {
			got, err := sizeFor(size{width, height})
			if wide := max(width, height) > 4*min(width, height); wide != (err != nil) {
				t.Fatalf("%dx%d: %v", width, height, err)
			}
			if err != nil {
				continue
			}
			off := math.Abs(math.Log(float64(got.width*height) / float64(got.height*width)))
			if !got.made() || off > 0.081 {
				t.Fatalf("%dx%d became %s, off by %.3f", width, height, got, off)
			}
		}
	}
}
