package tencent

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

func TestSimulator_makesAnImage(t *testing.T) {
	b := start(t)
	id := b.submit(imageOrder("SubmitTextToImageJob", `{"Prompt":"a lake","Resolution":"1280:720","Revise":0,"LogoAdd":0,"Seed":7}`))
	for _, want := range []string{"1", "2", "5"} {
		got := b.image(id)
		if code := got.at("JobStatusCode"); code.Str != want || got.at("JobStatusMsg").Str == "" || got.at("JobErrorCode").Str != "" {
			t.Fatalf("status = %+v, want %s", got, want)
		}
		if want != "5" && len(got.at("ResultImage").Array()) != 0 {
			t.Fatalf("an unfinished job has a result: %+v", got)
		}
		b.advance(step)
	}
	got := b.image(id)
	address := got.at("ResultImage.0").Str
	if got.at("ResultDetails.0").Str != "Success" || len(got.at("ResultImage").Array()) != 1 {
		t.Errorf("answer = %+v", got)
	}
	if again := b.image(id).at("ResultImage.0").Str; again != address {
		t.Errorf("the address became %s from %s", again, address)
	}
	status, data := b.download(address)
	width, height, marked := look(t, data)
	if status != http.StatusOK || width != 1280 || height != 720 || marked {
		t.Errorf("downloaded %d: %dx%d, marked %t", status, width, height, marked)
	}
	want := []studio.Charge{{ID: id, Kind: studio.Image, Model: "SubmitTextToImageJob", Units: 1}}
	if diff := cmp.Diff(want, b.sim.Charges()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
	task, _ := b.sim.Task(id)
	if job := task.Data.(*Job); job.Seed != 7 || job.Logo || job.Revise {
		t.Errorf("job = %+v", job)
	}
}

func TestSimulator_defaultsOfAnImageBite(t *testing.T) {
	b := start(t)
	id := b.submit(imageOrder("SubmitTextToImageJob", `{"Prompt":"a lake","Seed":7}`))
	b.advance(2 * step)
	got := b.image(id)
	if revised := got.at("RevisedPrompt.0").Str; !strings.HasPrefix(revised, "a lake") || revised == "a lake" {
		t.Errorf("revised prompt = %q", revised)
	}
	_, data := b.download(got.at("ResultImage.0").Str)
	if width, height, marked := look(t, data); width != 1024 || height != 1024 || !marked {
		t.Errorf("%dx%d, marked %t", width, height, marked)
	}
	task, _ := b.sim.Task(id)
	if job := task.Data.(*Job); job.Seed != 0 || !job.Revise || !job.Logo {
		t.Errorf("job = %+v", job)
	}
}

func TestSimulator_snapsAnImageWithReferences(t *testing.T) {
	b := start(t)
	b.sim.SetRules(Rules{Jobs: 9})
	for asked, want := range map[string][2]int{"512:512": {1024, 1024}, "900:512": {1280, 720}, "512:2048": {512, 2048}} {
		id := b.submit(imageOrder("SubmitTextToImageJob", `{"Prompt":"a","Images":["https://example.com/a.png"],"Resolution":"`+asked+`"}`))
		b.advance(2 * step)
		_, data := b.download(b.image(id).at("ResultImage.0").Str)
		if width, height, _ := look(t, data); [2]int{width, height} != want {
			t.Errorf("%s became %dx%d, want %v", asked, width, height, want)
		}
	}
}

func TestSimulator_answersLiteAtOnce(t *testing.T) {
	b := start(t)
	got := b.ask(imageOrder("TextToImageLite", `{"Prompt":"a","NegativePrompt":"b","Resolution":"225:127","Seed":0}`))
	data, err := base64.StdEncoding.DecodeString(got.at("ResultImage").Str)
	if err != nil || got.at("Seed").Int() == 0 {
		t.Fatalf("answer = %+v (%v)", got, err)
	}
	if width, height, marked := look(t, data); width != 225 || height != 127 || !marked {
		t.Errorf("%dx%d, marked %t", width, height, marked)
	}
	got = b.ask(imageOrder("TextToImageLite", `{"Prompt":"a","LogoAdd":0,"RspImgType":"url","Seed":4294967295}`))
	status, data := b.download(got.at("ResultImage").Str)
	if width, _, marked := look(t, data); status != http.StatusOK || width != 1024 || marked || got.at("Seed").Int() != 4294967295 {
		t.Errorf("downloaded %d: %d wide, marked %t, from %+v", status, width, marked, got)
	}
	if charges := b.sim.Charges(); len(charges) != 2 || charges[0].Units != 1 || charges[0].ID == charges[1].ID {
		t.Errorf("charges = %+v", charges)
	}
	b.advance(time.Hour)
	if status, _ = b.download(got.at("ResultImage").Str); status != http.StatusForbidden {
		t.Errorf("after an hour: %d", status)
	}
}

func TestSimulator_makesAVideo(t *testing.T) {
	b := start(t)
	id := b.submit(videoOrder("SubmitHunyuanToVideoJob",
		`{"Prompt":"一只猫","Image":{"Url":"https://example.com/a.png"},"Resolution":"720p"}`))
	for _, want := range []string{"WAIT", "RUN", "DONE"} {
		got := b.video(id)
		if got.at("Status").Str != want || got.at("ErrorCode").Str != "" || (got.at("ResultVideoUrl").Str != "") != (want == "DONE") {
			t.Fatalf("status = %+v, want %s", got, want)
		}
		b.advance(step)
	}
	address := b.video(id).at("ResultVideoUrl").Str
	status, data := b.download(address)
	if status != http.StatusOK || !bytes.Equal(data, studio.MP4(5*time.Second)) {
		t.Errorf("downloaded %d: %d bytes", status, len(data))
	}
	want := []studio.Charge{{ID: id, Kind: studio.Video, Model: "SubmitHunyuanToVideoJob", Units: 5}}
	if diff := cmp.Diff(want, b.sim.Charges()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
	b.advance(23 * time.Hour)
	if status, _ = b.download(address); status != http.StatusOK {
		t.Errorf("after 23 hours: %d", status)
	}
	b.advance(time.Hour)
	if status, _ = b.download(b.video(id).at("ResultVideoUrl").Str); status != http.StatusForbidden {
		t.Errorf("after 24 hours: %d", status)
	}
}

func TestSimulator_keepsTheMarkOnVideosUntilApproved(t *testing.T) {
	for name, tc := range map[string]struct {
		body     string
		approved bool
		want     bool
	}{
		"the default":           {`{"Prompt":"a"}`, true, true},
		"off without approval":  {`{"Prompt":"a","LogoAdd":0}`, false, true},
		"off with approval":     {`{"Prompt":"a","LogoAdd":0}`, true, false},
		"any other number is 1": {`{"Prompt":"a","LogoAdd":-3}`, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			b.sim.SetRules(Rules{LogoApproved: tc.approved})
			task, _ := b.sim.Task(b.submit(videoOrder("SubmitHunyuanToVideoJob", tc.body)))
			if got := task.Data.(*Job).Logo; got != tc.want {
				t.Errorf("mark = %t, want %t", got, tc.want)
			}
		})
	}
}

func TestSimulator_worksOnOneJobOfAProduct(t *testing.T) {
	b := start(t)
	again := imageOrder("SubmitTextToImageJob", `{"Prompt":"b"}`)
	b.submit(imageOrder("SubmitTextToImageJob", `{"Prompt":"a"}`))
	if got := b.ask(again); got.code() != tooManyJobs {
		t.Fatalf("a second job: %+v", got)
	}
	b.submit(videoOrder("SubmitHunyuanToVideoJob", `{"Prompt":"a"}`)) // another product
	if got := b.ask(imageOrder("TextToImageLite", `{"Prompt":"a","Resolution":"160:160"}`)); got.code() != "" {
		t.Fatalf("a synchronous image beside it: %+v", got)
	}
	b.advance(2*step - time.Nanosecond)
	if got := b.ask(again); got.code() != tooManyJobs {
		t.Fatalf("a job before the first has ended: %+v", got)
	}
	b.advance(time.Nanosecond)
	b.submit(again)

	b.sim.SetRules(Rules{Jobs: 3})
	b.submit(again)
	b.submit(again)
	if got := b.ask(again); got.code() != tooManyJobs {
		t.Fatalf("a fourth job of three: %+v", got)
	}
}

func TestSimulator_livesBelowAPrefix(t *testing.T) {
	b := start(t)
	server := httptest.NewServer(http.StripPrefix("/tencent", b.sim))
	t.Cleanup(server.Close)
	b.url = server.URL + "/tencent"
	got := b.ask(imageOrder("TextToImageLite", `{"Prompt":"a","Resolution":"160:160","RspImgType":"url"}`))
	address := got.at("ResultImage").Str
	if !strings.HasPrefix(address, b.url+"/files/") {
		t.Fatalf("answer = %+v", got)
	}
	if status, _ := b.download(address); status != http.StatusOK {
		t.Errorf("downloaded %d", status)
	}
	b.advance(time.Hour)
	if status, _ := b.download(address); status != http.StatusForbidden {
		t.Errorf("downloaded %d after an hour", status)
	}
}

func TestHandles(t *testing.T) {
	for path, want := range map[string]bool{"/": true, "/files/1.png": true, "": false, "/v1/chat/completions": false, "/files": false} {
		if got := Handles(path); got != want {
			t.Errorf("Handles(%q) = %t", path, got)
		}
	}
}
