// Package demo tells clients without a key apart and bounds how many of them there are at a time. What they may use and spend is
// decided elsewhere.
package demo
