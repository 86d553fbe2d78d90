// Package importrules proves who imports whom. It asks the toolchain for the dependencies of every package of this module, so
// that a rule also holds through packages in between, and reads the syntax of adapters for what imports cannot show. It knows
// the layout of the repository and nothing of what the packages do.
package importrules
