package tencent

import (
	"net/http"
	"strconv"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// expiredCode is the code of a refusal because of the time that a request was signed at: nothing has been made.
const expiredCode = "AuthFailure.SignatureExpire"

// minDrift is how far the vendor's clock has to be from a signature's time for a new signature to make sense.
const minDrift = time.Minute

// newStep makes a step of a signed request. If the vendor refuses the signature as too old, the step is followed by the same call,
// signed with the vendor's own time.
func newStep[T any](req *http.Request, s *signer, paid bool, read func(*provider.Response) (T, error)) *provider.Step[T] {
	first, second := &provider.Step[T]{Request: req, Paid: paid}, &provider.Step[T]{Paid: paid}
	second.Read = func(r *provider.Response) (T, *provider.Step[T], error) {
		v, err := read(r)
		return v, nil, err
	}
	first.Read = func(r *provider.Response) (T, *provider.Step[T], error) {
		at, expired := expiredAt(r, req.Header.Get(headerTimestamp))
		if !expired {
			return second.Read(r)
		}
		var zero T
		var err error
		if second.Request, err = again(req); err == nil {
			err = s.sign(second.Request, at)
		}
		if err != nil {
			return zero, nil, err
		}
		return zero, second, nil
	}
	return first
}

// expiredAt says whether a signature was refused as too old, or as of the future, and what time it is at the vendor's.
func expiredAt(r *provider.Response, signed string) (time.Time, bool) {
	o, e := readObject(r)
	if e != nil || o.Get("Error.Code").Str != expiredCode {
		return time.Time{}, false
	}
	now, err := http.ParseTime(r.Header.Get("Date"))
	seconds, _ := strconv.ParseInt(signed, 10, 64) // it is timestamp's
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() < minDrift {
		return time.Time{}, false
	}
	return now, true
}
