package dashscope

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"strings"
	"testing"
)

// threeColours is a palette of the given shares.
func threeColours(a, b, c string) string {
	const first, second, third = `{"hex":"#000000","ratio":"`, `"},{"hex":"#ffffff","ratio":"`, `"},{"hex":"#FF0000","ratio":"`
	return `"color_palette":[` + first + a + second + b + third + c + `"}]`
}

// transparent is a PNG with an alpha channel.
func transparent(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, 300, 300))); err != nil {
		t.Fatal(err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

const web = "https://example.com/a.png"

func TestImages_takesWhatIsAllowed(t *testing.T) {
	for name, body := range map[string]string{
		"the smallest of 2.7":         ask(v27, "x", `"n":1,"size":"768*768"`),
		"the largest of 2.7":          ask(v27, "x", `"n":1,"size":"2048*2048"`),
		"1:8":                         ask(v27, "x", `"n":1,"size":"512*4096"`),
		"pro, large and wide":         ask(pro, "x", `"n":1,"size":"3840*2160"`),
		"pro edits up to 2048*2048":   dialogue(pro, said("x")+","+shown(web), `"n":1,"size":"2048*2048"`),
		"nine images":                 dialogue(v27, said("x")+strings.Repeat(","+shown(web), 9), `"n":1`),
		"a jpeg, small":               dialogue(v27, shown(picture("jpeg", 240, 1920))+","+said("x"), `"n":1`),
		"a webp, which is not read":   dialogue(v27, shown("data:image/webp;base64,AAAA")+","+said("x"), `"n":1`),
		"empty parameters":            `{"model":"wan2.7-image","input":{"messages":[{"role":"user","content":[{"text":"x"}]}]},"parameters":{}}`,
		"boxes":                       dialogue(v27, said("x")+","+shown(web)+","+shown(web), `"n":1,"bbox_list":[[[0,0,9,9],[1,1,2,2]],[]]`),
		"a palette":                   ask(v27, "x", `"n":1,`+threeColours("33.33%", "33.33%", "33.34%")),
		"thinking switched off":       dialogue(v27, said("x")+","+shown(web), `"n":1,"thinking_mode":false`),
		"a sequence of twelve":        ask(v27, "x", `"n":12,"enable_sequential":true`),
		"the largest of 2.6":          ask(v26, "x", `"n":1,"size":"1440*1440"`),
		"a long text at 2.6":          ask(v26, strings.Repeat("x", 2100), `"n":1`),
		"all of 2.6's own parameters": ask(v26, "x", `"n":4,"negative_prompt":"y","prompt_extend":true,"watermark":true,"seed":0`),
	} {
		if got := start(t).images(body); got.status != 200 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	for name, body := range map[string]string{
		"2.5, square":              synthesis(v25, "x", `"size":"768*768","n":1`),
		"2.2, small sides":         synthesis(v22, "x", `"size":"512*1440","n":4,"seed":1,"prompt_extend":false,"watermark":true`),
		"wanx, with a long prompt": synthesis("wanx2.0-t2i-turbo", strings.Repeat("x", 800), ``),
		"a negative prompt":        `{"model":"wan2.1-t2i-plus","input":{"prompt":"x","negative_prompt":"y"}}`,
	} {
		if got := start(t).submit(SynthesisPath, body); got.status != 200 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

type refusal struct{ body, code, param string }

func expectRefusals(t *testing.T, path string, cases map[string]refusal) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			headers := []string{async, "enable"}
			if path == SyncImagesPath {
				headers = nil
			}
			expectRefusal(t, b.send("POST", path, c.body, headers...), 400, c.code, c.param)
			if b.charged() != nil || b.sim.Orders() != nil || b.sim.Unfinished() != 0 {
				t.Errorf("a refusal had an effect: %v", b.sim.Orders())
			}
		})
	}
}

func TestImages_refusals(t *testing.T) {
	const bad, content = "InvalidParameter", "input.messages[0].content"
	messages := func(list string) string { return `{"model":"wan2.7-image","input":{"messages":[` + list + `]}}` }
	user := `{"role":"user","content":[{"text":"x"}]}`
	edit := said("x") + "," + shown(web)
	expectRefusals(t, SyncImagesPath, map[string]refusal{
		"no JSON":           {`{"model":`, bad, "body"},
		"an array":          {`[]`, bad, "body"},
		"no model":          {`{"input":{"messages":[` + user + `]}}`, "BadRequest.EmptyModel", ""},
		"a number as model": {`{"model":1,"input":{"messages":[` + user + `]}}`, bad, "body.model"},
		"no input":          {`{"model":"wan2.7-image"}`, "BadRequest.EmptyInput", ""},
		"an empty input":    {`{"model":"wan2.7-image","input":{}}`, "BadRequest.EmptyInput", ""},
		"parameters that are none": {`{"model":"wan2.7-image","input":{"messages":[` + user + `]},"parameters":null}`,
			"BadRequest.EmptyParameters", ""},
		"an OpenAI body":           {`{"model":"wan2.7-image","prompt":"x","n":1}`, bad, "body.prompt"},
		"an unknown model":         {ask("wan-2.7", "x", ""), bad, "model"},
		"a task model":             {synthesis(v25, "x", ""), bad, "url"},
		"a video model":            {ask("wan2.7-t2v", "x", ""), bad, "url"},
		"a prompt":                 {`{"model":"wan2.7-image","input":{"prompt":"x"}}`, bad, "input.prompt"},
		"no message":               {messages(""), bad, "input.messages"},
		"two messages":             {messages(user + "," + user), bad, "input.messages"},
		"a system message":         {messages(strings.Replace(user, "user", "system", 1)), bad, "input.messages[0].role"},
		"no role":                  {messages(`{"content":[{"text":"x"}]}`), bad, "input.messages[0].role"},
		"content as text":          {messages(`{"role":"user","content":"x"}`), bad, content},
		"no text":                  {dialogue(v27, shown(web), ""), bad, content},
		"two texts":                {dialogue(v27, said("x")+","+said("y"), ""), bad, content},
		"an empty text":            {ask(v27, "", ""), bad, content + "[0].text"},
		"an item with both":        {dialogue(v27, `{"text":"x","image":"`+web+`"}`, ""), bad, content + "[0]"},
		"an item of OpenAI's form": {dialogue(v27, `{"type":"text","text":"x"}`, ""), bad, content + "[0].type"},
		"ten images":               {dialogue(v27, said("x")+strings.Repeat(","+shown(web), 10), ""), bad, content},
		"an image at 2.6":          {dialogue(v26, edit, ""), bad, content + "[1].image"},
		"bare base64":              {dialogue(v27, said("x")+","+shown("iVBORw0KGgo="), ""), "InvalidURL", content + "[1].image"},
		"a file":                   {dialogue(v27, said("x")+","+shown("file:///a.png"), ""), "InvalidURL", content + "[1].image"},
		"a gif":                    {dialogue(v27, said("x")+","+shown("data:image/gif;base64,AAAA"), ""), bad, content + "[1].image"},
		"broken base64": {dialogue(v27, said("x")+","+shown("data:image/png;base64,!"), ""), "InvalidParameter.DataInspection",
			content + "[1].image"},
		"base64 of no image": {dialogue(v27, said("x")+","+shown("data:image/png;base64,AAAA"), ""),
			"InvalidParameter.DataInspection", content + "[1].image"},
		"a small image":               {dialogue(v27, said("x")+","+shown(picture("png", 239, 300)), ""), bad, content + "[1].image"},
		"a narrow image":              {dialogue(v27, said("x")+","+shown(picture("png", 240, 1921)), ""), bad, content + "[1].image"},
		"a transparent image":         {dialogue(v27, said("x")+","+shown(transparent(t)), ""), bad, content + "[1].image"},
		"n of zero":                   {ask(v27, "x", `"n":0`), bad, "parameters.n"},
		"n of five":                   {ask(v27, "x", `"n":5`), bad, "parameters.n"},
		"n as text":                   {ask(v27, "x", `"n":"1"`), bad, "parameters.n"},
		"n as float":                  {ask(v27, "x", `"n":1.0`), bad, "parameters.n"},
		"n of thirteen in a sequence": {ask(v27, "x", `"n":13,"enable_sequential":true`), bad, "parameters.n"},
		"negative_prompt at 2.7":      {ask(v27, "x", `"negative_prompt":"y"`), bad, "parameters.negative_prompt"},
		"prompt_extend at 2.7":        {ask(v27, "x", `"prompt_extend":true`), bad, "parameters.prompt_extend"},
		"response_format":             {ask(v27, "x", `"response_format":"url"`), bad, "parameters.response_format"},
		"an x in the size":            {ask(v27, "x", `"size":"1024x1024"`), bad, "parameters.size"},
		"512*512":                     {ask(v27, "x", `"size":"512*512"`), bad, "parameters.size"},
		"one row too many":            {ask(v27, "x", `"size":"2048*2049"`), bad, "parameters.size"},
		"a strip":                     {ask(v27, "x", `"size":"4100*512"`), bad, "parameters.size"},
		"4K at the smaller model":     {ask(v27, "x", `"size":"4K"`), bad, "parameters.size"},
		"3K":                          {ask(v27, "x", `"size":"3K"`), bad, "parameters.size"},
		"4K of an edit":               {dialogue(pro, edit, `"size":"4K"`), bad, "parameters.size"},
		"4K of a sequence":            {ask(pro, "x", `"size":"4K","enable_sequential":true`), bad, "parameters.size"},
		"large edits":                 {dialogue(pro, edit, `"size":"2049*2048"`), bad, "parameters.size"},
		"2K at 2.6":                   {ask(v26, "x", `"size":"2K"`), bad, "parameters.size"},
		"1024*1024 at 2.6":            {ask(v26, "x", `"size":"1024*1024"`), bad, "parameters.size"},
		"1:5 at 2.6":                  {ask(v26, "x", `"size":"2900*570"`), bad, "parameters.size"},
		"a long text at 2.6":          {ask(v26, strings.Repeat("x", 2101), ""), bad, content + "[0].text"},
		"a sequence at 2.6":           {ask(v26, "x", `"enable_sequential":true`), bad, "parameters.enable_sequential"},
		"a negative seed":             {ask(v27, "x", `"seed":-1`), bad, "parameters.seed"},
		"a seed of 32 bits":           {ask(v27, "x", `"seed":2147483648`), bad, "parameters.seed"},
		"a watermark as text":         {ask(v27, "x", `"watermark":"false"`), bad, "parameters.watermark"},
		"a member twice":              {ask(v27, "x", `"n":1,"n":1`), bad, "parameters.n"},
		"thinking about an edit":      {dialogue(v27, edit, `"thinking_mode":true`), bad, "parameters.thinking_mode"},
		"thinking about a sequence":   {ask(v27, "x", `"thinking_mode":true,"enable_sequential":true`), bad, "parameters.thinking_mode"},
		"boxes without images":        {ask(v27, "x", `"bbox_list":[]`), bad, "parameters.bbox_list"},
		"boxes for one of two":        {dialogue(v27, edit+","+shown(web), `"bbox_list":[[]]`), bad, "parameters.bbox_list"},
		"a box of three":              {dialogue(v27, edit, `"bbox_list":[[[1,2,3]]]`), bad, "parameters.bbox_list"},
		"two colours": {ask(v27, "x", `"color_palette":[{"hex":"#000000","ratio":"50.00%"},`+
			`{"hex":"#ffffff","ratio":"50.00%"}]`), bad, "parameters.color_palette"},
		"colours of 99 percent":    {ask(v27, "x", threeColours("33.00%", "33.00%", "33.00%")), bad, "parameters.color_palette"},
		"a share without fraction": {ask(v27, "x", threeColours("25%", "25.00%", "50.00%")), bad, "parameters.color_palette[0].ratio"},
		"a colour by name": {ask(v27, "x", strings.Replace(threeColours("25.00%", "25.00%", "50.00%"), "#ffffff", "white", 1)), bad,
			"parameters.color_palette[1].hex"},
		"a palette in a sequence": {ask(v27, "x", `"enable_sequential":true,`+threeColours("25.00%", "25.00%", "50.00%")), bad,
			"parameters.color_palette"},
	})
}

func TestSynthesis_refusals(t *testing.T) {
	const bad = "InvalidParameter"
	expectRefusals(t, SynthesisPath, map[string]refusal{
		"a dialogue":          {ask(v25, "x", ""), bad, "input.messages"},
		"a newer model":       {ask(v27, "x", ""), bad, "url"},
		"no prompt":           {`{"model":"wan2.5-t2i-preview","input":{"negative_prompt":"x"}}`, bad, "input.prompt"},
		"a long prompt":       {synthesis(v22, strings.Repeat("x", 501), ""), bad, "input.prompt"},
		"negative elsewhere":  {synthesis(v22, "x", `"negative_prompt":"y"`), bad, "parameters.negative_prompt"},
		"a short side":        {synthesis(v22, "x", `"size":"511*1024"`), bad, "parameters.size"},
		"a long side":         {synthesis(v22, "x", `"size":"1441*1024"`), bad, "parameters.size"},
		"a size with a name":  {synthesis(v22, "x", `"size":"1K"`), bad, "parameters.size"},
		"too small for 2.5":   {synthesis(v25, "x", `"size":"767*768"`), bad, "parameters.size"},
		"too large for 2.5":   {synthesis(v25, "x", `"size":"1441*1440"`), bad, "parameters.size"},
		"five":                {synthesis(v22, "x", `"n":5`), bad, "parameters.n"},
		"a sequence":          {synthesis(v22, "x", `"enable_sequential":true`), bad, "parameters.enable_sequential"},
		"extension as number": {synthesis(v22, "x", `"prompt_extend":1`), bad, "parameters.prompt_extend"},
	})
}
