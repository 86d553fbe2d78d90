package tokenhubmedia

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

func TestSimulator_refusesBodies(t *testing.T) {
	url := "https://example.com/a.png"
	for name, tc := range map[string]struct{ path, body, code, says string }{
		"not JSON":                          {submit, `{"model":`, badParameter, "JSON"},
		"broken UTF-8":                      {submit, "{\"model\":\"\xff\"}", badParameter, "JSON"},
		"no model":                          {submit, `{"prompt":"a"}`, badParameter, "invalid parameter 'model': model is required"},
		"a model as a number":               {submit, `{"model":1,"prompt":"a"}`, badParameter, "'model'"},
		"an unknown model":                  {submit, `{"model":"hy-image-v9","prompt":"a"}`, unknownModel, "hy-image-v9"},
		"the model of another call":         {submit, body(lite, "a", ""), badParameter, "'rsp_img_type'"},
		"a video's model":                   {submit, body(clipSubmit, "a", ""), unknownModel, "hy-video-1.5"},
		"no prompt":                         {submit, `{"model":"hy-image-v3.0"}`, badParameter, "prompt is required"},
		"an empty prompt":                   {submit, body(submit, " ", ""), badParameter, "'prompt'"},
		"a prompt of null":                  {submit, `{"model":"hy-image-v3.0","prompt":null}`, badParameter, "'prompt'"},
		"a prompt of 8193 characters":       {submit, body(submit, strings.Repeat("猫", 8193), ""), badParameter, "'prompt'"},
		"a member twice":                    {submit, body(submit, "a", `,"prompt":"b"`), badParameter, "twice"},
		"a member in another case":          {submit, body(submit, "a", `,"LogoAdd":0`), badParameter, "'LogoAdd'"},
		"n":                                 {submit, body(submit, "a", `,"n":1`), badParameter, "'n'"},
		"a size by its OpenAI name":         {submit, body(submit, "a", `,"size":"1024x1024"`), badParameter, "'size'"},
		"a seed where none is shown":        {submit, body(submit, "a", `,"seed":1`), badParameter, "'seed'"},
		"a resolution with x":               {submit, body(submit, "a", `,"resolution":"1024x1024"`), badParameter, "width:height"},
		"a resolution as a number":          {submit, body(submit, "a", `,"resolution":1024`), badParameter, "'resolution'"},
		"a short side":                      {submit, body(submit, "a", `,"resolution":"511:1024"`), badParameter, "512"},
		"too many pixels":                   {submit, body(submit, "a", `,"resolution":"1025:1024"`), badParameter, "1024 x 1024"},
		"a long side":                       {submit, body(submit, "a", `,"resolution":"512:2049"`), badParameter, "2048"},
		"logo_add as a boolean":             {submit, body(submit, "a", `,"logo_add":false`), badParameter, "'logo_add'"},
		"logo_add 2":                        {submit, body(submit, "a", `,"logo_add":2`), badParameter, "'logo_add'"},
		"images as a string":                {submit, body(submit, "a", `,"images":"`+url+`"`), badParameter, "'images'"},
		"no images":                         {submit, body(submit, "a", `,"images":[]`), badParameter, "'images'"},
		"four images":                       {submit, body(submit, "a", `,"images":["`+strings.Repeat(url+`","`, 3)+url+`"]`), badParameter, "3"},
		"an image in the request":           {submit, body(submit, "a", `,"images":["data:image/png;base64,AAAA"]`), badParameter, "address"},
		"an image that cannot be fetched":   {submit, body(submit, "a", `,"images":["https://x.invalid/a"]`), badParameter, "downloaded"},
		"query: no model":                   {query, `{"id":"1"}`, badParameter, "model is required"},
		"query: no id":                      {query, `{"model":"hy-image-v3.0"}`, badParameter, "id is required"},
		"query: another model":              {query, `{"model":"hy-image-lite","id":"1"}`, unknownModel, "hy-image-lite"},
		"query: an id as a number":          {query, `{"model":"hy-image-v3.0","id":1}`, badParameter, "'id'"},
		"query: an unknown id":              {query, `{"model":"hy-image-v3.0","id":"1"}`, badParameter, "does not exist"},
		"lite: no rsp_img_type":             {lite, `{"model":"hy-image-lite","prompt":"a"}`, badParameter, "rsp_img_type is required"},
		"lite: base64":                      {lite, `{"model":"hy-image-lite","prompt":"a","rsp_img_type":"base64"}`, badParameter, "[url]"},
		"lite: a resolution":                {lite, body(lite, "a", `,"resolution":"1024:1024"`), badParameter, "'resolution'"},
		"lite: a prompt of 1025 characters": {lite, body(lite, strings.Repeat("a", 1025), ""), badParameter, "1024"},
		"wand: a size with a colon":         {wand, body(wand, "a", `,"size":"1024:1024"`), badParameter, "widthxheight"},
		"wand: seed 0":                      {wand, body(wand, "a", `,"seed":0`), badParameter, "'seed'"},
		"wand: a seed of 33 bits":           {wand, body(wand, "a", `,"seed":4294967296`), badParameter, "'seed'"},
		"wand: revise 2":                    {wand, body(wand, "a", `,"revise":2`), badParameter, "'revise'"},
		"wand: revise in words":             {wand, body(wand, "a", `,"revise":"on"`), badParameter, "'revise'"},
		"wand: a negative prompt":           {wand, body(wand, "a", `,"negative_prompt":"b"`), badParameter, "'negative_prompt'"},
		"wand: the other call's model":      {wand, body(submit, "a", ""), unknownModel, "hy-image-v3.0"},
		"video: no prompt": {clipSubmit, `{"model":"hy-video-1.5","image":{"url":"` + url + `"}}`,
			badParameter, "prompt is required"},
		"video: a prompt of 201 characters": {clipSubmit, body(clipSubmit, strings.Repeat("猫", 201), ""), badParameter, "200"},
		"video: a duration":                 {clipSubmit, body(clipSubmit, "a", `,"duration":5`), badParameter, "'duration'"},
		"video: 4k":                         {clipSubmit, body(clipSubmit, "a", `,"resolution":"4k"`), badParameter, "720p"},
		"video: an image as a string":       {clipSubmit, body(clipSubmit, "a", `,"image":"`+url+`"`), badParameter, "'image'"},
		"video: an image of nothing":        {clipSubmit, body(clipSubmit, "a", `,"image":{}`), badParameter, "url is required"},
		"video: an image with base64": {clipSubmit, body(clipSubmit, "a", `,"image":{"url":"`+url+`","base64":"AAAA"}`),
			badParameter, "'base64'"},
		"video: an image by ftp": {clipSubmit, body(clipSubmit, "a", `,"image":{"url":"ftp://example.com/a"}`),
			badParameter, "address"},
		"video query: an image's model": {clipQuery, `{"model":"hy-image-v3.0","id":"1"}`, unknownModel, "hy-image-v3.0"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			got := b.ask(tc.path, tc.body)
			if got.status != http.StatusBadRequest || got.code() != tc.code || !strings.Contains(got.at("error.message").Str, tc.says) {
				t.Errorf("= %.300s, want %s %s", fmt.Sprintf("%+v", got), tc.code, tc.says)
			}
			if got.at("error.type").Str != "invalid_request_error" || got.at("error.source").Str != "client" ||
				got.at("error.request_id").Str == "" || got.at("error.message_zh").Str == "" {
				t.Errorf("envelope = %.300s", got.body)
			}
			if e := b.last(); !strings.HasPrefix(e.Reason, tc.code+": ") || len(b.sim.Charges()) != 0 || b.sim.Unfinished() != 0 {
				t.Errorf("the ledger has %+v", e)
			}
		})
	}
}

func TestSimulator_refusesRequests(t *testing.T) {
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for name, tc := range map[string]struct {
		spoil  func(*http.Request)
		status int
		code   string
	}{
		"no key":        {func(r *http.Request) { r.Header.Del("Authorization") }, 401, noKey},
		"two keys":      {func(r *http.Request) { r.Header.Add("Authorization", "Bearer x") }, 401, noKey},
		"a basic key":   {header("Authorization", "Basic x"), 401, noKey},
		"another key":   {header("Authorization", "Bearer sk-other"), 401, wrongKey},
		"a form":        {header("Content-Type", "application/x-www-form-urlencoded"), 400, badParameter},
		"a query":       {func(r *http.Request) { r.URL.RawQuery = "a=b" }, 400, badParameter},
		"GET":           {func(r *http.Request) { r.Method = http.MethodGet }, 405, ""},
		"another path":  {func(r *http.Request) { r.URL.Path = "/v1/api/image/cancel" }, 404, ""},
		"a slash more":  {func(r *http.Request) { r.URL.Path += "/" }, 404, ""},
		"OpenAI's path": {func(r *http.Request) { r.URL.Path = "/v1/images/generations" }, 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			got := b.send(submit, body(submit, "a", ""), tc.spoil)
			if got.status != tc.status || got.code() != tc.code {
				t.Errorf("= %+v, want %d %s", got, tc.status, tc.code)
			}
			if got.status == 401 && got.at("error.type").Str != "authentication_error" || got.status == 405 && got.header.Get("Allow") != "POST" {
				t.Errorf("= %+v", got)
			}
			if e := b.last(); e.Reason == "" || b.sim.Unfinished() != 0 {
				t.Errorf("the ledger has %+v", e)
			}
		})
	}
}

func TestSimulator_followsOtherReadings(t *testing.T) {
	inline := "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(studio.JPEG(64, 64))
	for name, tc := range map[string]struct {
		rules      Rules
		path, more string
		refused    string // a body of the same rules that is still refused
	}{
		"the job's members": {Rules{JobFields: true}, submit, `,"seed":7,"revise":0`, `,"style":"x"`},
		"the job's members, lite": {Rules{JobFields: true}, lite,
			`,"resolution":"1280:720","seed":7,"logo_add":1,"negative_prompt":"b"`, `,"revise":0`},
		"the job's members, wand": {Rules{JobFields: true}, wand, `,"negative_prompt":"b","logo_add":0`, `,"resolution":"1024:1024"`},
		"images in the request": {Rules{InlineImages: true}, submit,
			`,"images":["` + inline + `","https://example.com/a.png"]`, `,"images":["data:text/plain;base64,AAAA"]`},
		"an x between the sides": {Rules{ResolutionBy: "x"}, submit, `,"resolution":"1280x720"`, `,"resolution":"1280:720"`},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			if got := b.ask(tc.path, body(tc.path, "a", tc.more)); got.code() != badParameter {
				t.Errorf("by the strict rules: %+v", got)
			}
			b.sim.SetRules(tc.rules)
			if got := b.ask(tc.path, body(tc.path, "a", tc.more)); got.status != http.StatusOK {
				t.Errorf("by the other rules: %+v", got)
			}
			if got := b.ask(tc.path, body(tc.path, "a", tc.refused)); got.code() != badParameter {
				t.Errorf("still refused: %+v", got)
			}
		})
	}
}

func TestSimulator_keepsKindsApart(t *testing.T) {
	b := start(t)
	if got := b.clip(b.task(submit, "a", "")); got.code() != badParameter {
		t.Errorf("a video's query for an image: %+v", got)
	}
	if got := b.image(b.task(clipSubmit, "a", "")); got.code() != badParameter {
		t.Errorf("an image's query for a video: %+v", got)
	}
}
