// Package lint checks manifests as an API server and the operator would, without either: schema, defaults and CEL rules
// through the API server's own code, then everything that only shows when objects are seen together through the compiler that
// gateway and operator use. It decides what is an error and what a warning; it changes nothing and asks nobody.
package lint
