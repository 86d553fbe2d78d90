package dashscope

import (
	"strings"
	"testing"
)

func TestReference(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ address, want string }{
		"a URL":                     {"https://example.com/A,B.png", "https://example.com/A,B.png"},
		"a data URI":                {"data:image/png;base64,QUJD", "data:image/png;base64,QUJD"},
		"the head is in lower case": {"DATA:Image/JPEG;Base64,QUJD,x", "data:image/jpeg;base64,QUJD,x"},
		"a text like one":           {"Data", "Data"},
		"a long head is none":       {"Data:" + strings.Repeat("A", 100) + ",QUJD", "Data:" + strings.Repeat("A", 100) + ",QUJD"},
		"a letter that grows":       {"data:İ,QUJD", "data:İ,QUJD"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := reference(tc.address); got != tc.want {
				t.Errorf("reference(%q) = %q, want %q", tc.address, got, tc.want)
			}
		})
	}
}

func TestCheckReference(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"": true, "https://example.com/a.gif": true, "data:image/png;base64,QUJD": true, "data:image/jpeg;base64,QUJD": true,
		"data:image/jpg;base64,QUJD": true, "data:image/bmp;base64,QUJD": true, "Data:Image/WEBP;Base64,QUJD": true,
		"data:image/gif;base64,QUJD": false, "data:image/png,QUJD": false, "data:,QUJD": false, "data:audio/wav;base64,QUJD": false,
	} {
		if err := checkReference("image", "Wan", address); (err == nil) != want {
			t.Errorf("checkReference(%q) = %v, want it taken: %v", address, err, want)
		}
	}
}
