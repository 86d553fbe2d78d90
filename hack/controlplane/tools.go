//go:build tools

// Keeps etcd, which is built from this module too, in go.mod.
package main

import _ "go.etcd.io/etcd/server/v3"
