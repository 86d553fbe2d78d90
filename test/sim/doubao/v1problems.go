package doubao

import (
	"net/http"
	"strconv"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// badV1 is the code of a bad parameter in V1.
const badV1 = 3001

func grantNotFound() *problem {
	return &problem{code: badV1, status: http.StatusUnauthorized, certain: true,
		text: "authenticate request: load grant: requested grant not found"}
}

// codeV1 is what the vendor says with a code, or nil for a code that its table lacks.
func codeV1(code int) *problem {
	p := &problem{code: code, status: http.StatusBadRequest}
	switch code {
	case 3001:
		p.text = "invalid request"
	case 3003:
		p.text, p.status = "quota exceeded for types: concurrency", http.StatusTooManyRequests
	case 3005:
		p.text, p.status = "backend is busy", http.StatusServiceUnavailable
	case 3006:
		p.text = "duplicate reqid"
	case 3010:
		p.text = "text is too long"
	case 3011:
		p.text = "illegal input text!"
	case 3030, 3032:
		p.text, p.status = "processing timeout", http.StatusGatewayTimeout
	case 3031, 3040:
		p.text, p.status = "processing error", http.StatusInternalServerError
	case 3050:
		p.text = "voice does not exist"
	default:
		return nil
	}
	return p
}

// problemV1 is the refusal that stands for a mode. Of the message for a used-up allowance the code is not documented: by turns a
// bad request and a limit. There is no code for moderation; a text that cannot be spoken is nearest.
func (x *exchange) problemV1(mode studio.Mode) *problem {
	switch mode {
	case studio.Unauthorized:
		return grantNotFound()
	case studio.NoBalance:
		p := codeV1([]int{3001, 3003}[x.turn%2])
		p.text = "quota exceeded for types: text_words_lifetime"
		return p
	case studio.Concurrency:
		return codeV1(3003)
	case studio.Overload:
		return codeV1(3005)
	case studio.ServerError:
		return codeV1(3031)
	case studio.Moderation:
		return codeV1(3011)
	case studio.NotOpen:
		return &problem{code: badV1, text: "extract request resource id: get resource id: access denied", status: http.StatusForbidden}
	}
	n, err := strconv.Atoi(string(mode))
	if err != nil {
		return nil
	}
	return codeV1(n)
}

func (x *exchange) refuseV1(reqid string, p *problem) {
	x.Entry.Reason = p.text
	status := p.status
	if !p.certain && x.turn%2 == 0 {
		status = http.StatusOK
	}
	x.JSON(status, answerV1{ReqID: reqid, Code: p.code, Message: p.text})
}
