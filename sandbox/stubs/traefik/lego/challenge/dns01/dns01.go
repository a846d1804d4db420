// Package dns01 has the one helper that Traefik's TLS manager borrows.
package dns01

import "strings"

// UnFqdn gives a domain name without its final dot.
func UnFqdn(name string) string { return strings.TrimSuffix(name, ".") }
