// Package acme stands in for Traefik's ACME provider: the types its other packages name, and no ACME behind them.
// The sandbox has no certificate authority to talk to; sandbox/README.md says what this build of Traefik lacks.
package acme

import (
	"context"
	"errors"
	"net/http"

	ptypes "github.com/traefik/paerser/types"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/safe"
	traefiktls "github.com/traefik/traefik/v3/pkg/tls"
)

var errNoACME = errors.New("this build of traefik has no ACME")

// Configuration has the fields that the static configuration reads.
type Configuration struct {
	CAServer      string
	Storage       string
	DNSChallenge  *DNSChallenge
	HTTPChallenge *HTTPChallenge
	TLSChallenge  *TLSChallenge
}

// DNSChallenge has the fields that the static configuration reads.
type DNSChallenge struct {
	Provider                string
	DisablePropagationCheck bool
	DelayBeforeCheck        ptypes.Duration
	Propagation             *Propagation
}

// Propagation has the fields that the static configuration writes.
type Propagation struct {
	DisableChecks     bool
	DelayBeforeChecks ptypes.Duration
}

// HTTPChallenge has the field that the internal provider reads.
type HTTPChallenge struct{ EntryPoint string }

// TLSChallenge is only looked at for being there.
type TLSChallenge struct{}

// LocalStore keeps nothing.
type LocalStore struct{}

// NewLocalStore opens no file.
func NewLocalStore(string, *safe.Pool) *LocalStore { return &LocalStore{} }

// ChallengeHTTP answers no challenge.
type ChallengeHTTP struct{}

// NewChallengeHTTP makes one.
func NewChallengeHTTP() *ChallengeHTTP { return &ChallengeHTTP{} }

func (*ChallengeHTTP) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, errNoACME.Error(), http.StatusNotFound)
}

// ChallengeTLSALPN is a provider that never provides.
type ChallengeTLSALPN struct{}

// NewChallengeTLSALPN makes one.
func NewChallengeTLSALPN() *ChallengeTLSALPN { return &ChallengeTLSALPN{} }

// Init has nothing to prepare.
func (*ChallengeTLSALPN) Init() error { return nil }

// Provide never sends a configuration.
func (*ChallengeTLSALPN) Provide(chan<- dynamic.Message, *safe.Pool) error { return nil }

// ListenConfiguration ignores it.
func (*ChallengeTLSALPN) ListenConfiguration(dynamic.Configuration) {}

// Provider refuses to start: a certificate resolver in the configuration is an error, not silence.
type Provider struct {
	*Configuration
	ResolverName          string
	Store                 *LocalStore
	HTTPChallengeProvider any
	TLSChallengeProvider  any
}

// Init refuses.
func (*Provider) Init() error { return errNoACME }

// Provide is never reached.
func (*Provider) Provide(chan<- dynamic.Message, *safe.Pool) error { return errNoACME }

// SetTLSManager is never reached.
func (*Provider) SetTLSManager(*traefiktls.Manager) {}

// SetConfigListenerChan is never reached.
func (*Provider) SetConfigListenerChan(chan dynamic.Configuration) {}

// ListenConfiguration is never reached.
func (*Provider) ListenConfiguration(dynamic.Configuration) {}

// HTTPCertificate is never reached.
func (*Provider) HTTPCertificate(context.Context) {}
