package arkmedia

import (
	"strings"
	"testing"
)

func TestImages_takesWhatIsAllowed(t *testing.T) {
	fourteen := `["https://example.com/a"` + strings.Repeat(`,"https://example.com/a"`, 13) + `]`
	for name, body := range map[string]string{
		"the smallest of 4.5":             ask(v45, "x", `,"size":"1920x1920"`),
		"the largest of 4.5":              ask(v45, "x", `,"size":"4096x4096"`),
		"3750x1250 at 4.5":                ask(v45, "x", `,"size":"3750x1250"`),
		"the smallest of 4.0":             ask(v40, "x", `,"size":"960x960"`),
		"3.0 takes 512x512":               ask(v30, "x", `,"size":"512x512"`),
		"3.0 takes seed and guidance":     ask(v30, "x", `,"seed":-1,"guidance_scale":1.5`),
		"14 references":                   ask(v45, "x", `,"image":`+fourteen),
		"a reference that is no list":     ask(v45, "x", `,"image":"https://example.com/a.png"`),
		"a png":                           ask(v45, "x", `,"image":"`+picture("png", 15, 15)+`"`),
		"a jpeg":                          ask(v45, "x", `,"image":"`+picture("jpeg", 160, 15)+`"`),
		"a webp, which is not looked at":  ask(v45, "x", `,"image":"data:image/webp;base64,AAAA"`),
		"standard prompt optimization":    ask(v45, "x", `,"optimize_prompt_options":{"mode":"standard"}`),
		"fast prompt optimization of 4.0": ask(v40, "x", `,"optimize_prompt_options":{"mode":"fast"}`),
		"web search at 5.0":               ask(v50, "x", `,"tools":[{"type":"web_search"}]`),
		"layers at 5.0 pro":               ask(pro, "x", `,"layer_decomposition":true`),
		"a BytePlus model":                ask("seedream-4-5-251128", "x", ""),
		"the account's own endpoint":      ask("ep-20260101000000-ab12c", "x", ""),
		"disabled, said aloud":            ask(v45, "x", `,"sequential_image_generation":"disabled","stream":false`),
	} {
		if got := start(t).images(body); got.status != 200 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

func TestImages_refusals(t *testing.T) {
	const notFound, bad = "InvalidEndpointOrModel.NotFound", "InvalidParameter"
	fifteen := `["https://example.com/a"` + strings.Repeat(`,"https://example.com/a"`, 14) + `]`
	const auto, options = `,"sequential_image_generation":"auto"`, `,"sequential_image_generation_options":`
	cases := map[string]struct {
		body, code, param string
	}{
		"no JSON":                  {`{"model":`, bad, "body"},
		"an array":                 {`[]`, bad, ""},
		"a member twice":           {ask(v45, "x", `,"prompt":"y"`), bad, "prompt"},
		"no model":                 {`{"prompt":"x"}`, "MissingParameter", "model"},
		"an empty model":           {ask("", "x", ""), "MissingParameter", "model"},
		"a number as model":        {`{"model":4,"prompt":"x"}`, bad, "model"},
		"no prompt":                {`{"model":"` + v45 + `"}`, "MissingParameter", "prompt"},
		"an empty prompt":          {ask(v45, "", ""), "MissingParameter", "prompt"},
		"a list as prompt":         {`{"model":"` + v45 + `","prompt":["x"]}`, bad, "prompt"},
		"n":                        {ask(v45, "x", `,"n":1`), bad, "n"},
		"user":                     {ask(v45, "x", `,"user":"me"`), bad, "user"},
		"negative_prompt":          {ask(v45, "x", `,"negative_prompt":"y"`), bad, "negative_prompt"},
		"quality":                  {ask(v45, "x", `,"quality":"high"`), bad, "quality"},
		"a null":                   {ask(v45, "x", `,"size":null`), bad, "size"},
		"1024x1024 at 4.5":         {ask(v45, "x", `,"size":"1024x1024"`), bad, "size"},
		"1500x1500 at 4.5":         {ask(v45, "x", `,"size":"1500x1500"`), bad, "size"},
		"one pixel less":           {ask(v45, "x", `,"size":"1920x1919"`), bad, "size"},
		"more than 4096x4096":      {ask(v45, "x", `,"size":"4097x4096"`), bad, "size"},
		"a strip":                  {ask(v45, "x", `,"size":"8200x512"`), bad, "size"},
		"an asterisk":              {ask(v45, "x", `,"size":"2048*2048"`), bad, "size"},
		"auto as size":             {ask(v45, "x", `,"size":"auto"`), bad, "size"},
		"an empty size":            {ask(v45, "x", `,"size":""`), bad, "size"},
		"a number as size":         {ask(v45, "x", `,"size":2048`), bad, "size"},
		"1K at 4.5":                {ask(v45, "x", `,"size":"1K"`), bad, "size"},
		"lower case 2k":            {ask(v45, "x", `,"size":"2k"`), bad, "size"},
		"4K at 5.0":                {ask(v50, "x", `,"size":"4K"`), bad, "size"},
		"4096x4096 at 5.0":         {ask(v50, "x", `,"size":"4096x4096"`), bad, "size"},
		"2K at 3.0":                {ask(v30, "x", `,"size":"2K"`), bad, "size"},
		"2100x512 at 3.0":          {ask(v30, "x", `,"size":"2100x512"`), bad, "size"},
		"a size at seededit":       {ask(ed, "x", `,"image":"https://example.com/a","size":"1024x1024"`), bad, "size"},
		"watermark as text":        {ask(v45, "x", `,"watermark":"false"`), bad, "watermark"},
		"stream as text":           {ask(v45, "x", `,"stream":"true"`), bad, "stream"},
		"stream at 3.0":            {ask(v30, "x", `,"stream":true`), bad, "stream"},
		"b64 for b64_json":         {ask(v45, "x", `,"response_format":"b64"`), bad, "response_format"},
		"seed at 4.5":              {ask(v45, "x", `,"seed":1`), bad, "seed"},
		"guidance_scale at 4.5":    {ask(v45, "x", `,"guidance_scale":2.5`), bad, "guidance_scale"},
		"a seed below -1":          {ask(v30, "x", `,"seed":-2`), bad, "seed"},
		"a seed above 31 bits":     {ask(v30, "x", `,"seed":2147483648`), bad, "seed"},
		"a broken seed":            {ask(v30, "x", `,"seed":1.5`), bad, "seed"},
		"too much guidance":        {ask(v30, "x", `,"guidance_scale":10.1`), bad, "guidance_scale"},
		"output_format at 4.5":     {ask(v45, "x", `,"output_format":"png"`), bad, "output_format"},
		"webp at 5.0":              {ask(v50, "x", `,"output_format":"webp"`), bad, "output_format"},
		"tools at 4.5":             {ask(v45, "x", `,"tools":[{"type":"web_search"}]`), bad, "tools"},
		"an unknown tool":          {ask(v50, "x", `,"tools":[{"type":"function"}]`), bad, "tools[0].type"},
		"layers at 5.0":            {ask(v50, "x", `,"layer_decomposition":true`), bad, "layer_decomposition"},
		"fast at 4.5":              {ask(v45, "x", `,"optimize_prompt_options":{"mode":"fast"}`), bad, "optimize_prompt_options.mode"},
		"an unknown inner member":  {ask(v45, "x", `,"optimize_prompt_options":{"m":1}`), bad, "optimize_prompt_options.m"},
		"an image at 3.0":          {ask(v30, "x", `,"image":"https://example.com/a"`), bad, "image"},
		"no image at seededit":     {ask(ed, "x", ""), "MissingParameter", "image"},
		"two images at seededit":   {ask(ed, "x", `,"image":["https://example.com/a","https://example.com/b"]`), bad, "image"},
		"15 references":            {ask(v45, "x", `,"image":`+fifteen), bad, "image"},
		"no reference in a list":   {ask(v45, "x", `,"image":[]`), bad, "image"},
		"an object as reference":   {ask(v45, "x", `,"image":[{"url":"https://example.com/a"}]`), bad, "image[0]"},
		"bare base64":              {ask(v45, "x", `,"image":"iVBORw0KGgo="`), bad, "image[0]"},
		"a file as reference":      {ask(v45, "x", `,"image":"file:///etc/passwd"`), bad, "image[0]"},
		"an upper-case type":       {ask(v45, "x", `,"image":"data:image/PNG;base64,AAAA"`), bad, "image[0]"},
		"webp at seededit":         {ask(ed, "x", `,"image":"data:image/webp;base64,AAAA"`), bad, "image[0]"},
		"no picture in the base64": {ask(v45, "x", `,"image":"data:image/png;base64,AAAA"`), bad, "image[0]"},
		"a jpeg that says png": {ask(v45, "x", `,"image":"`+strings.Replace(picture("jpeg", 99, 99), "jpeg", "png", 1)+`"`), bad,
			"image[0]"},
		"a tiny reference":     {ask(v45, "x", `,"image":"`+picture("png", 14, 14)+`"`), bad, "image[0]"},
		"a long reference":     {ask(v45, "x", `,"image":"`+picture("png", 320, 19)+`"`), bad, "image[0]"},
		"options without auto": {ask(v45, "x", options+`{"max_images":2}`), bad, "sequential_image_generation_options"},
		"no image at all":      {ask(v45, "x", auto+options+`{"max_images":0}`), bad, "sequential_image_generation_options.max_images"},
		"16 images":            {ask(v45, "x", auto+options+`{"max_images":16}`), bad, "sequential_image_generation_options.max_images"},
		"16 with the reference": {ask(v45, "x", auto+`,"image":"https://example.com/a"`+options+`{"max_images":15}`), bad,
			"sequential_image_generation_options.max_images"},
		"an unknown sequential mode": {ask(v45, "x", `,"sequential_image_generation":"on"`), bad, "sequential_image_generation"},
		"sequential mode at 3.0":     {ask(v30, "x", auto), bad, "sequential_image_generation"},
		"an unknown model":           {ask("seedream-4.5", "x", ""), notFound, ""},
		"a video model":              {ask("doubao-seedance-2-0-260128", "x", ""), "UnsupportedModel", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			status := 400
			if c.code == notFound || c.code == "UnsupportedModel" {
				status = 404
			}
			expectRefusal(t, b.images(c.body), status, c.code, c.param)
			if b.charged() != nil || b.sim.Orders() != nil {
				t.Errorf("a refusal was billed: %v %v", b.charged(), b.sim.Orders())
			}
		})
	}
}

func TestImages_alternateReadings(t *testing.T) {
	b := start(t)
	b.sim.Alternate = true
	if got := b.images(ask(v45, "x", `,"seed":1,"guidance_scale":9,"n":2`)); got.status != 200 || got.get("data.#").Int() != 1 {
		t.Errorf("what is not known is not ignored: %d %s", got.status, got.body)
	}
	expectRefusal(t, b.images(ask(v45, "x", `,"size":"1x1"`)), 400, "InvalidParameter.size", "size")
	expectRefusal(t, b.images(`{"model":"`+v45+`"}`), 400, "MissingParameter.prompt", "prompt")
	if got := b.images(ask(v45, "x [[fail partial]]", "")); got.get("error.code").Str != "OutputImageSensitiveContentDetected" {
		t.Errorf("no top-level error: %s", got.body)
	}
}
