// Program mongod takes the options of MongoDB's server that a chart uses, and serves FerretDB with its SQLite backend.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/FerretDB/FerretDB/internal/clientconn"
	"github.com/FerretDB/FerretDB/internal/clientconn/connmetrics"
	"github.com/FerretDB/FerretDB/internal/handler/registry"
	"github.com/FerretDB/FerretDB/internal/standin"
	"github.com/FerretDB/FerretDB/internal/util/logging"
	"github.com/FerretDB/FerretDB/internal/util/state"
)

// How long clients that are connected may delay the end. Every answered write is on disk already.
const patience = 500 * time.Millisecond

type options struct {
	replSet string
	keyFile string
	auth    bool
	bind    string
	bindAll bool
	port    string
	dbPath  string
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "mongod:", err)
		os.Exit(1)
	}
}

// parse reads the command line; an option that it does not know ends the program.
func parse() (options, error) {
	var o options
	flag.StringVar(&o.replSet, "replSet", "", "name of the replica set")
	flag.StringVar(&o.keyFile, "keyFile", "", "key that members share; clients must log in")
	flag.BoolVar(&o.auth, "auth", false, "clients must log in")
	flag.StringVar(&o.bind, "bind_ip", "127.0.0.1", "address to listen on")
	flag.BoolVar(&o.bindAll, "bind_ip_all", false, "listen on all addresses")
	flag.StringVar(&o.port, "port", "27017", "port to listen on")
	flag.StringVar(&o.dbPath, "dbpath", "/data/db", "folder of the data")
	flag.Func("setParameter", "name=value; has no effect", func(text string) error {
		if !strings.Contains(text, "=") {
			return fmt.Errorf("not of the form name=value")
		}
		return nil
	})
	flag.Parse()
	if flag.NArg() > 0 {
		return o, fmt.Errorf("too many positional options: %s", flag.Arg(0))
	}
	if o.bindAll {
		o.bind = "0.0.0.0"
	}
	return o, nil
}

// checkKey holds the key file to MongoDB's rules.
func checkKey(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("permissions on %s are too open", file)
	}
	if info.Size() < 6 || info.Size() > 1024 {
		return fmt.Errorf("%s: a key has 6 to 1024 characters", file)
	}
	return nil
}

func run() error {
	o, err := parse()
	if err != nil {
		return err
	}
	if o.keyFile != "" {
		if err = checkKey(o.keyFile); err != nil {
			return err
		}
	}
	standin.Auth = o.auth || o.keyFile != ""
	if err = standin.Open(o.replSet, o.dbPath); err != nil {
		return err
	}

	logging.Setup(&logging.NewHandlerOpts{Base: "console", Level: slog.LevelError}, "")
	provider, err := state.NewProvider("")
	if err != nil {
		return err
	}
	err = provider.Update(func(s *state.State) {
		s.DisableTelemetry()
		s.TelemetryLocked = true
	})
	if err != nil {
		return err
	}
	address := net.JoinHostPort(o.bind, o.port)
	metrics := connmetrics.NewListenerMetrics()
	handler, closeBackend, err := registry.NewHandler("sqlite", &registry.NewHandlerOpts{
		Logger:        slog.Default(),
		ConnMetrics:   metrics.ConnMetrics,
		StateProvider: provider,
		TCPHost:       address,
		SQLiteURL:     "file:" + strings.TrimSuffix(o.dbPath, "/") + "/",
		TestOpts: registry.TestOpts{
			CappedCleanupPercentage: 10,
			EnableNewAuth:           true,
			BatchSize:               100,
		},
	})
	if err != nil {
		return err
	}
	listener, err := clientconn.Listen(&clientconn.NewListenerOpts{
		TCP:     address,
		Mode:    clientconn.NormalMode,
		Metrics: metrics,
		Handler: handler,
		Logger:  slog.Default(),
	})
	if err != nil {
		return err
	}
	fmt.Printf("stand-in for MongoDB, by FerretDB: listening on %s\n", address)

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		listener.Run(ctx)
		closeBackend()
	}()
	<-ctx.Done()
	select {
	case <-ended:
	case <-time.After(patience):
	}
	return nil
}
