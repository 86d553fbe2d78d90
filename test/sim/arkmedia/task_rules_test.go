package arkmedia

import (
	"strings"
	"testing"
)

func TestTasks_takeWhatIsAllowed(t *testing.T) {
	const web = "https://example.com/a.png"
	for name, body := range map[string]string{
		"a first frame alone":      task(s20, still("first_frame", web), ""),
		"a first and a last frame": task(s20, still("first_frame", web)+","+still("last_frame", web), ""),
		"an image as data":         task(s20, still("", picture("jpeg", 300, 750)), ""),
		"the most references":      task(s20, text+","+times(9, still("reference_image", web))+","+times(3, clip)+","+times(3, sound), ""),
		"a video as data":          task(s20, text+","+strings.Replace(clip, "https://example.com/a.mp4", "data:video/mp4;base64,AAAA", 1), ""),
		"every service parameter": task(s20, text, `,"service_tier":"default","priority":9,"execution_expires_after":259200,`+
			`"callback_url":"https://example.com/cb"`),
		"web search":                 task(s20, text, `,"tools":[{"type":"web_search"}]`),
		"seed and camera at 1.5":     task(s15, text, `,"seed":4294967295,"camera_fixed":true,"service_tier":"flex"`),
		"draft and reference type":   task(s25, text, `,"draft":true,"omni_reference_task_type":"auto"`),
		"the account's own endpoint": task("ep-20260101000000-ab12c", text, `,"resolution":"4k"`),
	} {
		if got := start(t).submit(body); got.status != 200 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	b := start(t)
	id := b.task(task(s25, text, `,"draft":true`))
	next := b.task(task(s25, strings.Replace(draft, "cgt-1", id, 1), ""))
	if got := b.poll(next).get("draft_task_id").Str; got != id {
		t.Errorf("draft_task_id = %q", got)
	}
}

func TestTasks_refusals(t *testing.T) {
	const bad, web = "InvalidParameter", "https://example.com/a.png"
	first, last, reference := still("first_frame", web), still("last_frame", web), still("reference_image", web)
	cases := map[string]struct {
		body, code, param string
	}{
		"no JSON":                      {`{`, bad, "body"},
		"no model":                     {`{"content":[` + text + `]}`, "MissingParameter", "model"},
		"an unknown model":             {task("seedance-2", text, ""), "InvalidEndpointOrModel.NotFound", ""},
		"an image model":               {task("doubao-seedream-4-5-251128", text, ""), "UnsupportedModel", ""},
		"no content":                   {`{"model":"` + s20 + `"}`, "MissingParameter", "content"},
		"empty content":                {task(s20, "", ""), "MissingParameter", "content"},
		"content as text":              {`{"model":"` + s20 + `","content":"waves"}`, bad, "content"},
		"a prompt":                     {task(s20, text, `,"prompt":"waves"`), bad, "prompt"},
		"n":                            {task(s20, text, `,"n":1`), bad, "n"},
		"size":                         {task(s20, text, `,"size":"1280x720"`), bad, "size"},
		"negative_prompt":              {task(s20, text, `,"negative_prompt":"x"`), bad, "negative_prompt"},
		"an unknown item":              {task(s20, `{"type":"image","url":"x"}`, ""), bad, "content[0].type"},
		"a text that is a number":      {task(s20, `{"type":"text","text":1}`, ""), bad, "content[0].text"},
		"an empty text":                {task(s20, `{"type":"text","text":""}`, ""), "MissingParameter", "content[0].text"},
		"two texts":                    {task(s20, text+","+text, ""), bad, "content[1].text"},
		"an unknown member of an item": {task(s20, `{"type":"text","text":"x","role":"user"}`, ""), bad, "content[0].role"},
		"an image URL as text":         {task(s20, text+`,{"type":"image_url","image_url":"`+web+`"}`, ""), bad, "content[1].image_url"},
		"an image without URL": {task(s20, text+`,{"type":"image_url","image_url":{}}`, ""), "MissingParameter",
			"content[1].image_url.url"},
		"an unknown role":               {task(s20, text+","+still("middle_frame", web), ""), bad, "content[1].role"},
		"a bare base64 image":           {task(s20, text+","+still("", "iVBORw0KGgo="), ""), bad, "content[1].image_url.url"},
		"a small image":                 {task(s20, text+","+still("", picture("png", 299, 300)), ""), bad, "content[1].image_url.url"},
		"a wide image":                  {task(s20, text+","+still("", picture("png", 760, 300)), ""), bad, "content[1].image_url.url"},
		"two images without role":       {task(s20, text+","+still("", web)+","+still("", web), ""), bad, "content"},
		"one of two without role":       {task(s20, text+","+still("", web)+","+last, ""), bad, "content"},
		"two first frames":              {task(s20, first+","+first, ""), bad, "content"},
		"a last frame alone":            {task(s20, text+","+last, ""), bad, "content"},
		"a first frame and a reference": {task(s20, text+","+first+","+reference, ""), bad, "content"},
		"a bare image and a clip":       {task(s20, text+","+still("", web)+","+clip, ""), bad, "content"},
		"a sound alone":                 {task(s20, text+","+sound, ""), bad, "content"},
		"ten references":                {task(s20, text+","+times(10, reference), ""), bad, "content"},
		"four clips":                    {task(s20, text+","+times(4, clip), ""), bad, "content"},
		"four sounds":                   {task(s20, text+","+clip+","+times(4, sound), ""), bad, "content"},
		"references without text":       {task(s20, reference, ""), "MissingParameter", "content.text"},
		"a clip without role": {task(s20, text+","+strings.Replace(clip, `,"role":"reference_video"`, "", 1), ""),
			"MissingParameter", "content[1].role"},
		"a clip with a sound's role": {task(s20, text+","+strings.Replace(clip, "reference_video", "reference_audio", 1), ""), bad,
			"content[1].role"},
		"a clip from nowhere":             {task(s20, text+","+strings.Replace(clip, "https:", "ftp:", 1), ""), bad, "content[1].video_url.url"},
		"references at 1.5":               {task(s15, text+","+reference, ""), "InvalidParameter.TaskTypeConstraint", ""},
		"a draft at 2.0":                  {task(s20, draft, ""), "InvalidParameter.TaskTypeConstraint", ""},
		"a draft that is not there":       {task(s25, draft, ""), bad, "content.draft_task.id"},
		"a draft and a text":              {task(s25, text+","+draft, ""), bad, "content"},
		"720P":                            {task(s20, text, `,"resolution":"720P"`), bad, "resolution"},
		"1080p at fast":                   {task(fast, text, `,"resolution":"1080p"`), bad, "resolution"},
		"4k at 2.5":                       {task(s25, text, `,"resolution":"4k"`), bad, "resolution"},
		"5:4":                             {task(s20, text, `,"ratio":"5:4"`), bad, "ratio"},
		"three seconds":                   {task(s20, text, `,"duration":3`), bad, "duration"},
		"16 seconds":                      {task(s20, text, `,"duration":16`), bad, "duration"},
		"31 seconds at 2.5":               {task(s25, text, `,"duration":31`), bad, "duration"},
		"a duration as text":              {task(s20, text, `,"duration":"5"`), bad, "duration"},
		"a duration as float":             {task(s20, text, `,"duration":5.0`), bad, "duration"},
		"a duration of -2":                {task(s20, text, `,"duration":-2`), bad, "duration"},
		"frames at 2.0":                   {task(s20, text, `,"frames":49`), bad, "frames"},
		"frames and duration":             {task(s10, text, `,"frames":49,"duration":5`), bad, "frames"},
		"seed at 2.0":                     {task(s20, text, `,"seed":1`), bad, "seed"},
		"a seed of -2":                    {task(s15, text, `,"seed":-2`), bad, "seed"},
		"camera_fixed at 2.0":             {task(s20, text, `,"camera_fixed":false`), bad, "camera_fixed"},
		"flex at 2.0":                     {task(s20, text, `,"service_tier":"flex"`), bad, "service_tier"},
		"audio as a word":                 {task(s20, text, `,"generate_audio":"on"`), bad, "generate_audio"},
		"watermark as a number":           {task(s20, text, `,"watermark":1`), bad, "watermark"},
		"too early an expiry":             {task(s20, text, `,"execution_expires_after":3599`), bad, "execution_expires_after"},
		"priority 10":                     {task(s20, text, `,"priority":10`), bad, "priority"},
		"a callback that is no URL":       {task(s20, text, `,"callback_url":"me"`), bad, "callback_url"},
		"a long safety identifier":        {task(s20, text, `,"safety_identifier":"`+strings.Repeat("x", 65)+`"`), bad, "safety_identifier"},
		"an unknown tool":                 {task(s20, text, `,"tools":[{"type":"code"}]`), bad, "tools[0].type"},
		"output_format at 2.0":            {task(s20, text, `,"output_format":"mp4"`), bad, "output_format"},
		"webm at 2.5":                     {task(s25, text, `,"output_format":"webm"`), bad, "output_format"},
		"draft at 2.0":                    {task(s20, text, `,"draft":true`), bad, "draft"},
		"omni_reference_task_type at 2.0": {task(s20, text, `,"omni_reference_task_type":"auto"`), bad, "omni_reference_task_type"},
		"a body of more than 64 MB":       {task(s20, text, `,"x":"`+strings.Repeat("x", 64<<20)+`"`), bad, "body"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			status := 400
			if c.code == "InvalidEndpointOrModel.NotFound" || c.code == "UnsupportedModel" {
				status = 404
			}
			expectRefusal(t, b.submit(c.body), status, c.code, c.param)
			if b.sim.Unfinished() != 0 || b.sim.Orders() != nil {
				t.Errorf("a refusal left a task: %v", b.sim.Orders())
			}
		})
	}
}
