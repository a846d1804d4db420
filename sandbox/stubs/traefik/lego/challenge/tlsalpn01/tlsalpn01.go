// Package tlsalpn01 has the one constant that Traefik's TCP router compares with.
package tlsalpn01

// ACMETLS1Protocol is the protocol identifier of RFC 8737.
const ACMETLS1Protocol = "acme-tls/1"
