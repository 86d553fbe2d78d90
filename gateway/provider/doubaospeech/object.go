package doubaospeech

import (
	"bytes"
	"encoding/json"

	"vipcloud.ai/vipcloud/gateway/jsonscan"
)

// maxDepth is how deeply the JSON of an event may nest; answers nest four levels.
const maxDepth = 64

// members calls visit for each member of the JSON object that raw is: name is what stands between the quotes, value the JSON. It
// returns false if raw is no JSON object, whatever was visited until then. Nothing is copied: audio may be large.
func members(raw []byte, visit func(name, value []byte)) bool {
	i := jsonscan.Space(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		return false
	}
	if i = jsonscan.Space(raw, i+1); i < len(raw) && raw[i] == '}' {
		return jsonscan.Space(raw, i+1) == len(raw)
	}
	for {
		colon, ok := jsonscan.Key(raw, i)
		if !ok {
			return false
		}
		name := raw[i+1 : i+bytes.LastIndexByte(raw[i:colon], '"')]
		value := jsonscan.Space(raw, colon)
		end, ok := jsonscan.Value(raw, value, maxDepth)
		if !ok {
			return false
		}
		visit(name, raw[value:end])
		if i = jsonscan.Space(raw, end); i >= len(raw) || raw[i] != ',' {
			return i < len(raw) && raw[i] == '}' && jsonscan.Space(raw, i+1) == len(raw)
		}
		i = jsonscan.Space(raw, i+1)
	}
}

// isNull says that a value is null, or that there is none.
func isNull(value []byte) bool { return len(value) == 0 || value[0] == 'n' }

// content returns what is in a JSON string; false for any other value. It shares the value's memory, unless there are escapes.
func content(value []byte) ([]byte, bool) {
	if len(value) < 2 || value[0] != '"' {
		return nil, false
	}
	if inner := value[1 : len(value)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return inner, true
	}
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		return nil, false
	}
	return []byte(s), true
}
