// Package keyring seals what the gateway gives out of its hands and wants back unread and unchanged, such as the ids of jobs.
// It keeps the keys of that: one primary key that seals, and others that only open.
//
// A ring is rotated in two phases, so that replicas that learn of it one after the other never meet what they cannot open: Add
// brings a key that only opens, Promote makes it the primary once everybody has it, and Retire removes one that nothing is
// sealed with any more. When these steps are due, and where a ring is kept, is for others to decide.
package keyring
