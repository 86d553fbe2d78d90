// Package manifests serves a directory of YAML and JSON files without Kubernetes. It plays both the API server (schema,
// defaults, names) and the operator (which instance, whose Secret, which key) as far as one gateway needs them, so that the
// same files work in both worlds. It decides what the files say and keeps the keys that it makes, and the key ring of jobs, in a
// directory of its own; it never writes where the files are, and what routes and keys mean is left to package table.
package manifests
