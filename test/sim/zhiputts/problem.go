package zhiputts

import (
	"fmt"
	"net/http"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// problem is why a request is refused: a business code inside, an HTTP status outside.
type problem struct {
	status  int
	code    string
	message string
}

// errorBody is the only form of an error.
type errorBody struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (p *problem) body() *errorBody { return &errorBody{Code: p.code, Message: p.message} }

// coded is what the vendor says with a code, or nil for a code that its table lacks. The status of 1110 to 1121, 1211 and 1301
// is unconfirmed.
func coded(code string) *problem {
	switch code {
	case "1000", "1002", "1003", "1004", "1005":
		return &problem{http.StatusUnauthorized, code, "身份验证失败"}
	case "1001":
		return &problem{http.StatusUnauthorized, code, "Header 中未收到 Authentication 参数，无法进行身份验证"}
	case "1110", "1111", "1112", "1120", "1121":
		return &problem{http.StatusTooManyRequests, code, "您的账户当前不可用"}
	case "1113":
		return &problem{http.StatusTooManyRequests, code, "您的账户已欠费，请充值后重试"}
	case "1200", "1230", "1234":
		return &problem{http.StatusInternalServerError, code, "API 调用失败"}
	case "1210", "1214", "1215":
		return &problem{http.StatusBadRequest, code, "API 调用参数有误"}
	case "1211":
		return &problem{http.StatusBadRequest, code, "模型不存在，请检查模型代码"}
	case "1213":
		return &problem{http.StatusBadRequest, code, "未正常接收到参数"}
	case "1301":
		return &problem{http.StatusBadRequest, code, "系统检测到输入或生成内容可能包含不安全或敏感内容"}
	case "1302", "1303", "1304", "1305", "1308", "1310", "1312":
		return &problem{http.StatusTooManyRequests, code, "请求过多，请稍后重试"}
	}
	return nil
}

// ofMode is the refusal that stands for a mode, or nil.
func ofMode(mode studio.Mode) *problem {
	code := string(mode)
	switch mode {
	case studio.Unauthorized:
		code = "1000"
	case studio.NoBalance:
		code = "1113"
	case studio.Concurrency:
		code = "1302"
	case studio.RateLimit:
		code = "1303"
	case studio.Overload:
		code = "1305"
	case studio.ServerError, studio.TaskFailed:
		code = "1234"
	case studio.Moderation, studio.ModerationOutput:
		code = "1301"
	case studio.NotOpen:
		code = "1211"
	}
	return coded(code)
}

// invalid is a parameter that is wrong, missing one that is not there.
func invalid(format string, args ...any) *problem {
	return &problem{http.StatusBadRequest, "1210", "API 调用参数有误：" + fmt.Sprintf(format, args...)}
}

func missing(name string) *problem {
	return &problem{http.StatusBadRequest, "1213", "未正常接收到 " + name + " 参数"}
}

// outOfRange is a parameter whose value is not allowed.
func outOfRange(name, rule string) *problem {
	return &problem{http.StatusBadRequest, "1214", name + " 参数非法：" + rule}
}

func (x *exchange) refuse(p *problem) {
	x.Entry.Reason = p.code + " " + p.message
	x.JSON(p.status, map[string]any{"error": p.body()})
}

// nearest gives the modes that mean nothing here the nearest meaning.
func nearest(mode studio.Mode, stream bool) studio.Mode {
	switch {
	case mode == studio.PartialOutput:
		return studio.Truncated
	case mode == studio.TaskStuck:
		return studio.Stall
	case mode == studio.TaskSlow:
		return ""
	case mode == studio.MidStream && !stream:
		return studio.ServerError
	}
	return mode
}

// fails plays the failures that leave no effect, and says whether it did. What no simulator knows is answered with 501, so that
// a misspelt test does not pass.
func (x *exchange) fails(mode studio.Mode) bool {
	switch mode {
	case "", studio.Lost, studio.Truncated, studio.NoAudio, studio.MidStream:
		return false
	}
	if p := ofMode(mode); p != nil {
		x.refuse(p)
	} else if !x.Play(mode) {
		x.Text(http.StatusNotImplemented, "text/plain", "the simulator knows no failure mode "+string(mode))
	}
	return true
}
