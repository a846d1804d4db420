// Package challenge names the type that Traefik passes around.
package challenge

// Provider is never called.
type Provider any
