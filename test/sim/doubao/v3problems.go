package doubao

import (
	"net/http"
	"strconv"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// accessDenied shares its code with the limit of concurrency.
func accessDenied() *problem {
	return &problem{code: 45000000, text: "speaker permission denied: get resource id: access denied", status: http.StatusForbidden}
}

// codeV3 is what the vendor says with a code, or nil for a code that no table has.
func codeV3(code int) *problem {
	p := &problem{code: code, status: http.StatusBadRequest}
	switch code {
	case 40402003:
		p.text = "TTSExceededTextLimit:exceed max limit"
	case 45000000:
		p.text, p.status = "quota exceeded for types: concurrency", http.StatusTooManyRequests
	case 45000001:
		p.text = "Invalid argument"
	case 45000010:
		p.text, p.status = "Invalid X-Api-Key", http.StatusUnauthorized
	case 45002000:
		p.text = "invalid speaker"
	case 45002001:
		p.text = "nothing readable in the text"
	case 55000000:
		p.text, p.status = "service is unavailable", http.StatusForbidden
	default:
		return nil
	}
	return p
}

// problemV3 is the refusal that stands for a mode. The code of a used-up allowance is not documented; here that of the other
// quota, so that only the text tells them apart. There is no code for moderation; a text that cannot be read is nearest.
func problemV3(mode studio.Mode) *problem {
	switch mode {
	case studio.Unauthorized:
		return codeV3(45000010)
	case studio.NoBalance:
		p := codeV3(45000000)
		p.text = "quota exceeded for types: text_words_lifetime"
		return p
	case studio.Concurrency:
		return codeV3(45000000)
	case studio.Overload, studio.ServerError:
		return codeV3(55000000)
	case studio.Moderation:
		return codeV3(45002001)
	case studio.NotOpen:
		return accessDenied()
	}
	n, err := strconv.Atoi(string(mode))
	if err != nil {
		return nil
	}
	return codeV3(n)
}

// refuseV3 answers with a problem. Both another HTTP status and 200 were seen, and three forms of the body; by SSE there is also
// the event for it. All of them, by turns.
func (x *exchange) refuseV3(p *problem) {
	x.Entry.Reason = p.text
	if x.R.URL.Path == pathSSE && x.turn%4 == 0 {
		x.value(eventFailed, valueV3{Code: p.code, Message: p.text})
		return
	}
	status := p.status
	if x.turn%2 == 0 {
		status = http.StatusOK
	}
	body := map[string]any{"code": p.code, "message": p.text}
	switch x.turn % 3 {
	case 1:
		body["reqid"] = x.R.Header.Get("X-Api-Request-Id")
	case 2:
		body["reqid"] = x.R.Header.Get("X-Api-Request-Id")
		body = map[string]any{"header": body}
	}
	x.JSON(status, body)
}
