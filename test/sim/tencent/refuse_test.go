package tencent

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

func encoded(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// bitmap is the head of a BMP whose rows run downwards.
func bitmap(width, height int32) []byte {
	b := make([]byte, 26)
	copy(b, "BM")
	binary.LittleEndian.PutUint32(b[18:], uint32(width))
	binary.LittleEndian.PutUint32(b[22:], uint32(-height))
	return b
}

// prompt is a body with more members.
func prompt(more string) string { return `{"Prompt":"a"` + more + `}` }

func images(pictures ...string) string {
	return prompt(`,"Images":["` + strings.Join(pictures, `","`) + `"]`)
}

func frame(picture []byte) string { return prompt(`,"Image":{"Base64":"` + encoded(picture) + `"}`) }

const (
	job   = "SubmitTextToImageJob"
	lite  = "TextToImageLite"
	video = "SubmitHunyuanToVideoJob"
)

func TestSimulator_refusesBodies(t *testing.T) {
	url := "https://example.com/a.png"
	long := func(n int) string { return `{"Prompt":"` + strings.Repeat("猫", n) + `"}` }
	for name, tc := range map[string]struct{ action, body, want string }{
		"not JSON":                     {job, `{"Prompt":`, badParameter},
		"an array":                     {job, `[]`, badParameter},
		"broken UTF-8":                 {job, "{\"Prompt\":\"\xff\"}", badParameter},
		"an unknown member":            {job, prompt(`,"prompt":"a"`), "UnknownParameter"},
		"a member of the older action": {job, prompt(`,"Style":"1"`), "UnknownParameter"},
		"a number of images":           {job, prompt(`,"Num":1`), "UnknownParameter"},
		"a member twice":               {job, prompt(`,"Prompt":"b"`), "UnknownParameter"},
		"no prompt":                    {job, `{}`, missing},
		"an empty prompt":              {job, `{"Prompt":" "}`, wrongValue},
		"a prompt of null":             {job, `{"Prompt":null}`, badParameter},
		"a prompt as a list":           {job, `{"Prompt":["a"]}`, badParameter},
		"a prompt of 8193 characters":  {job, long(8193), textTooLong},
		"a resolution with x":          {job, prompt(`,"Resolution":"1024x1024"`), wrongValue},
		"a resolution as a number":     {job, prompt(`,"Resolution":1024`), badParameter},
		"a short side":                 {job, prompt(`,"Resolution":"511:1024"`), wrongValue},
		"a long side":                  {job, prompt(`,"Resolution":"512:2049"`), wrongValue},
		"too many pixels":              {job, prompt(`,"Resolution":"1025:1024"`), wrongValue},
		"seed 0":                       {job, prompt(`,"Seed":0`), wrongValue},
		"a seed of 33 bits":            {job, prompt(`,"Seed":4294967296`), wrongValue},
		"a seed as a string":           {job, prompt(`,"Seed":"7"`), badParameter},
		"half a seed":                  {job, prompt(`,"Seed":7.5`), badParameter},
		"Revise as a boolean":          {job, prompt(`,"Revise":true`), badParameter},
		"Revise 2":                     {job, prompt(`,"Revise":2`), wrongValue},
		"LogoAdd as a boolean":         {job, prompt(`,"LogoAdd":false`), badParameter},
		"an own mark of nothing":       {job, prompt(`,"LogoParam":{"LogoRect":{"X":1}}`), "InvalidParameterValue.LogoParamErr"},
		"an own mark as a string":      {job, prompt(`,"LogoParam":"x"`), badParameter},
		"an own mark off the image": {job, prompt(`,"LogoParam":{"LogoUrl":"` + url + `","LogoRect":{"X":-1}}`),
			"InvalidParameterValue.LogoParamErr"},
		"an own mark with an unknown part":   {job, prompt(`,"LogoParam":{"Url":"` + url + `"}`), "UnknownParameter"},
		"one image as a string":              {job, prompt(`,"Images":"` + url + `"`), badParameter},
		"an image as an object":              {job, prompt(`,"Images":[{"Url":"` + url + `"}]`), badParameter},
		"no images":                          {job, prompt(`,"Images":[]`), "InvalidParameterValue.ImageEmpty"},
		"four images":                        {job, images(url, url, url, url), wrongValue},
		"an image by ftp":                    {job, images("ftp://example.com/a.png"), illegalURL},
		"an image that cannot be fetched":    {job, images("https://example.invalid/a.png"), downloadError},
		"a data URI":                         {job, images("data:image/png;base64," + encoded(studio.PNG(64, 64))), decodeFailed},
		"base64 of no image":                 {job, images(encoded([]byte("these are words and not an image"))), decodeFailed},
		"an image of 49 pixels":              {job, images(encoded(studio.PNG(49, 64))), "FailedOperation.ImageResolutionExceed"},
		"a bitmap of 5001 pixels":            {job, images(encoded(bitmap(64, 5001))), "FailedOperation.ImageResolutionExceed"},
		"an image of 6 MB":                   {job, images(strings.Repeat("A", 6_000_000)), "FailedOperation.ImageSizeExceed"},
		"a body of more than 10 MB":          {job, prompt(strings.Repeat(" ", 10_000_000)), "FailedOperation.RequestEntityTooLarge"},
		"lite: a prompt of 1025":             {lite, long(1025), textTooLong},
		"lite: a negative prompt of 1025":    {lite, prompt(`,"NegativePrompt":"` + strings.Repeat("a", 1025) + `"`), textTooLong},
		"lite: a long side outside the list": {lite, prompt(`,"Resolution":"1000:1000"`), wrongValue},
		"lite: another ratio":                {lite, prompt(`,"Resolution":"1024:512"`), wrongValue},
		"lite: a ratio two pixels off":       {lite, prompt(`,"Resolution":"1280:722"`), wrongValue},
		"lite: a negative seed":              {lite, prompt(`,"Seed":-1`), wrongValue},
		"lite: the OpenAI word for base64":   {lite, prompt(`,"RspImgType":"b64_json"`), wrongValue},
		"lite: revision":                     {lite, prompt(`,"Revise":0`), "UnknownParameter"},
		"query: no id":                       {"QueryTextToImageJob", `{}`, missing},
		"query: an empty id":                 {"QueryTextToImageJob", `{"JobId":""}`, wrongValue},
		"query: a number":                    {"QueryTextToImageJob", `{"JobId":1}`, badParameter},
		"query: an unknown id":               {"QueryTextToImageJob", `{"JobId":"1"}`, "FailedOperation.JobNotExist"},
		"video: no prompt":                   {video, `{}`, missing},
		"video: an image alone":              {video, `{"Image":{"Url":"` + url + `"}}`, missing},
		"video: a prompt of 201":             {video, long(201), badValue},
		"video: a duration":                  {video, prompt(`,"Duration":5`), "UnknownParameter"},
		"video: a ratio":                     {video, prompt(`,"AspectRatio":"16:9"`), "UnknownParameter"},
		"video: a seed":                      {video, prompt(`,"Seed":1`), "UnknownParameter"},
		"video: 1080p":                       {video, prompt(`,"Resolution":"1080p"`), badValue},
		"video: 720P":                        {video, prompt(`,"Resolution":"720P"`), badValue},
		"video: an image as a string":        {video, prompt(`,"Image":"` + url + `"`), badParameter},
		"video: an empty image":              {video, prompt(`,"Image":{}`), badValue},
		"video: an image twice over": {video,
			prompt(`,"Image":{"Url":"` + url + `","Base64":"` + encoded(studio.PNG(64, 64)) + `"}`), badValue},
		"video: an address without a host": {video, prompt(`,"Image":{"Url":"https://"}`), illegalURL},
		"video: an unreachable address":    {video, prompt(`,"Image":{"Url":"https://x.invalid/a"}`), downloadError},
		"video: no image in the base64":    {video, frame([]byte("these are words and not an image")), badValue + ".InvalidImageFormat"},
		"video: broken base64":             {video, prompt(`,"Image":{"Base64":"%%"}`), decodeFailed},
		"video: an image of 8 MB": {video, prompt(`,"Image":{"Base64":"` + strings.Repeat("A", 8_000_000) + `"}`),
			badValue + ".InvalidImageSize"},
		"video: a small image":                {video, frame(studio.JPEG(64, 48)), badValue + ".InvalidImageResolution"},
		"video: a ratio beyond 4:1":           {video, frame(studio.PNG(401, 100)), badValue + ".InvalidImageAspectRatio"},
		"video query: an unknown id":          {"DescribeHunyuanToVideoJob", `{"JobId":"1"}`, "FailedOperation.JobNotFound"},
		"video query: under the image's name": {"DescribeHunyuanToVideoJob", `{"JobID":"1"}`, "UnknownParameter"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			o := imageOrder(tc.action, tc.body)
			if strings.Contains(tc.action, "Video") {
				o = videoOrder(tc.action, tc.body)
			}
			got := b.ask(o)
			if got.status != http.StatusOK || got.code() != tc.want || got.at("Error.Message").Str == "" || got.at("RequestId").Str == "" {
				t.Errorf("= %.300s, want %s", fmt.Sprintf("%+v", got), tc.want)
			}
			if e := b.last(); !strings.HasPrefix(e.Reason, tc.want+": ") || len(b.sim.Charges()) != 0 || b.sim.Unfinished() != 0 {
				t.Errorf("the ledger has %+v", e)
			}
		})
	}
}

func TestSimulator_acceptsBodiesAtTheLimits(t *testing.T) {
	webp := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8 "), make([]byte, 16)...)
	for name, tc := range map[string]struct{ action, body string }{
		"a prompt of 8192 characters": {job, `{"Prompt":"` + strings.Repeat("猫", 8192) + `"}`},
		"the narrowest image":         {job, prompt(`,"Resolution":"512:2048"`)},
		"the largest seed":            {job, prompt(`,"Seed":4294967295,"Revise":0`)},
		"any LogoAdd":                 {job, prompt(`,"LogoAdd":-9`)},
		"an own mark": {job,
			prompt(`,"LogoParam":{"LogoUrl":"https://example.com/l.png","LogoRect":{"X":1,"Y":2,"Width":3,"Height":4}}`)},
		"three images of all kinds": {job, images("http://example.com/a", encoded(studio.JPEG(50, 5000)), encoded(webp))},
		"a TIFF and a bitmap":       {job, images(encoded(append([]byte("II*\x00"), webp...)), encoded(bitmap(50, 50)))},
		"a video of 200 characters": {video, `{"Prompt":"` + strings.Repeat("猫", 200) + `"}`},
		"a frame of 4:1":            {video, frame(studio.PNG(400, 100))},
		"a video with an own mark":  {video, prompt(`,"LogoParam":{"LogoImage":"` + encoded(studio.PNG(64, 64)) + `"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			o := imageOrder(tc.action, tc.body)
			if tc.action == video {
				o = videoOrder(tc.action, tc.body)
			}
			b.submit(o)
		})
	}
	for _, resolution := range []string{"160:120", "258:145", "258:146", "720:1280", "768:1024", "520:520"} {
		b := start(t)
		if got := b.ask(imageOrder(lite, prompt(`,"Resolution":"`+resolution+`"`))); got.code() != "" {
			t.Errorf("%s = %s", resolution, got.code())
		}
	}
}

func TestSimulator_takesAnImageAloneIfAllowed(t *testing.T) {
	b := start(t)
	b.sim.SetRules(Rules{ImageAlone: true})
	b.submit(videoOrder(video, `{"Image":{"Url":"https://example.com/a.png"}}`))
	if got := b.ask(videoOrder(video, `{"Resolution":"720p"}`)); got.code() != missing {
		t.Errorf("neither prompt nor image: %+v", got)
	}
}

func TestSimulator_keepsProductsApart(t *testing.T) {
	b := start(t)
	image := b.submit(imageOrder(job, prompt("")))
	clip := b.submit(videoOrder(video, prompt("")))
	if got := b.image(clip); got.code() != "FailedOperation.JobNotExist" {
		t.Errorf("an image's query for a video: %+v", got)
	}
	if got := b.video(image); got.code() != "FailedOperation.JobNotFound" {
		t.Errorf("a video's query for an image: %+v", got)
	}
}
