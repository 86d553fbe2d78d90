package ark

import "regexp"

// flag is an old-style parameter in the text of a prompt, such as --dur 10 or --watermark=false, in any case and wherever it
// stands: the names that the vendor documents and those seen beside them. Words that are not names of parameters, and hyphens
// that stand alone, are ordinary text.
var flag = regexp.MustCompile(`(?i)-{2,}((?:resolution|rs|ratio|rt|duration|dur|frames|frames?_?per_?second|fps|seed|camera_?fixed|cf|` +
	`watermark|wm|generate_?audio|no_?audio)\b)`)

// plainPrompt makes a prompt text and nothing else. Ark still reads flags out of prompts, so that a prompt could change what is
// billed. Their hyphens become the dash for which two hyphens stand in plain text; the words stay. Changed says that there
// were any.
func plainPrompt(prompt string) (text string, changed bool) {
	text = flag.ReplaceAllString(prompt, "\u2014$1")
	return text, text != prompt
}
