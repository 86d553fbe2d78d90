package openaicompat

import "vipcloud.ai/vipcloud/gateway/provider"

// quirks is all that tells one vendor from another. It is read only once the adapter exists.
type quirks struct {
	// info names the vendor, its regions and the entries of its Secret.
	info provider.Info
	// base is the path from the vendor's root to its API, such as /v1, for an upstream model. It is left out where the
	// configured endpoint has one of its own.
	base func(model string) string
	// bases are further endings by which an endpoint shows that it has a path to an API; those like /v4 need no naming.
	bases []string
	// keyHeader carries the key alone; "" means Authorization with the Bearer scheme.
	keyHeader string

	// prepare renames, folds and drops members of the request, before the admin's overrides. Nil: nothing.
	prepare func(d *draft)
	// check refuses what the vendor is known to refuse, after the overrides. Nil: everything passes.
	check func(d *draft) *provider.Error
	// paddingPasses says that stream_options.include_obfuscation means something to the vendor.
	paddingPasses bool
	// usageUnasked says that streams end with usage anyway and that stream_options are unknown to the vendor.
	usageUnasked bool

	// reasoningAs is the vendor's name of reasoning_content, "" if it is that.
	reasoningAs string
	// reasoningCopy is a member that repeats reasoning_content, "" if there is none.
	reasoningCopy string
	// framed says that every object of the vendor's carries code, message and sid, of which a code other than 0 is a failure.
	framed bool
	// endsWithUsage says that there are no finish reasons in streams: the chunk with the usage is the last one.
	endsWithUsage bool

	// innerCode says that messages of errors end with a code in parentheses, which tells more than the type.
	innerCode bool
	// errors say what the vendor's failures mean. The first rule that fits wins.
	errors []errorRule
}

// fixedBase is a base path that all models share.
func fixedBase(path string) func(string) string {
	return func(string) string { return path }
}

// vendorInfo describes a vendor that serves chat and takes one API key.
func vendorInfo(name string, regions ...provider.Region) provider.Info {
	return provider.Info{Name: name, Regions: regions, Entries: [][]string{{keyEntry}}, Modalities: []provider.Modality{provider.ModalityChat}}
}

// keyEntry is the entry of the Secret that holds the API key.
const keyEntry = "api-key"
