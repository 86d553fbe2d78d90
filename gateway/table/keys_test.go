package table_test

import "vipcloud.ai/vipcloud/gateway/apikey"

// hashOf is the hash of a key called text.
func hashOf(text string) string { return apikey.Sum(text).String() }
