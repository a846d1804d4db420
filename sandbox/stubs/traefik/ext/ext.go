// Package ext is Traefik's own empty extension point; it is a module apart that cannot be downloaded.
package ext

// HTTP adds nothing to the dynamic HTTP configuration.
type HTTP struct{}

// Router adds nothing to a router.
type Router struct{}
