package openai

import "vipcloud.ai/vipcloud/gateway/jsonscan"

// imageText is how many bytes of text an image of a prompt is taken for: about a thousand tokens, which is what vendors count for one.
const imageText = 4 << 10

// PromptText returns about how many bytes of text the model is given to read: that of the messages, and tools as they are written. Bytes of
// images and sounds are none; each counts as much as a page.
func PromptText(o *Object) int64 {
	n := 0
	for _, name := range [...]string{"tools", "functions"} {
		raw, _ := o.Get(name)
		n += len(raw)
	}
	if raw, _ := o.Get("messages"); len(raw) > 0 {
		walk(raw, 0, '[', func(_, message int) (int, bool) {
			return walk(raw, message, '{', func(key, value int) (int, bool) {
				size, end, ok := messageText(raw, key, value)
				n += size
				return end, ok
			})
		})
	}
	return int64(n)
}

// messageText is PromptText of a member of a message, and where that ends.
func messageText(raw []byte, key, value int) (size, end int, ok bool) {
	name := memberName(raw[key:value])
	if name == "content" && raw[value] == '[' {
		end, ok = walk(raw, value, '[', func(_, part int) (int, bool) {
			return walk(raw, part, '{', func(key, value int) (int, bool) {
				end, ok := jsonscan.Value(raw, value, jsonscan.MaxDepth)
				if ok {
					size += partText(memberName(raw[key:value]), raw[value:end])
				}
				return end, ok
			})
		})
		return size, end, ok
	}
	if raw[value] == '"' {
		if size, end, ok = jsonscan.Text(raw, value); name == "role" || name == "name" || name == "tool_call_id" {
			size = 0
		}
		return size, end, ok
	}
	if end, ok = jsonscan.Value(raw, value, jsonscan.MaxDepth); !ok {
		return 0, end, false
	}
	if raw[value] == 'n' { // null
		return 0, end, true
	}
	return end - value, end, true
}

// partText is PromptText of a member of a part of a message.
func partText(name string, value []byte) int {
	switch name {
	case "type":
		return 0
	case "text", "refusal":
		return jsonscan.TextSize(value)
	}
	return imageText
}

// walk goes through the list or object that begins at i with open. Take is told where each item begins, and where its value does, which
// is the same place in a list; it returns the value's end. What is no such list is one value without items.
func walk(raw []byte, i int, open byte, take func(item, value int) (end int, ok bool)) (end int, ok bool) {
	const toClose = 2 // ']' and '}' are as far from '[' and '{'
	if raw[i] != open {
		return jsonscan.Value(raw, i, jsonscan.MaxDepth)
	}
	for i = jsonscan.Space(raw, i+1); i < len(raw) && raw[i] != open+toClose; {
		item := i
		if open == '{' {
			if i, ok = jsonscan.Key(raw, i); !ok {
				return i, false
			}
			i = jsonscan.Space(raw, i)
		}
		if i, ok = take(item, i); !ok {
			return i, false
		}
		if i = jsonscan.Space(raw, i); i < len(raw) && raw[i] == ',' {
			i = jsonscan.Space(raw, i+1)
		}
	}
	return i + 1, i < len(raw)
}
