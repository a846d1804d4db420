// Package standin is what the sandbox's stand-in for MongoDB adds to FerretDB: a replica set of one member, and a server
// that asks for a login only where it is told to. The edits of the part `ferretdb` in parts.toml say where it is called.
package standin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
	"github.com/FerretDB/FerretDB/internal/types"
)

// MongoDB's codes for what can be wrong with a replica set.
const (
	alreadyInitialized  = handlererrors.ErrorCode(23)
	noReplication       = handlererrors.ErrorCode(76)
	invalidConfig       = handlererrors.ErrorCode(93)
	needsReplication    = "This node was not started with replication enabled."
	notYetInitialized   = "Does not have a valid replica set config"
	alreadyInitializedA = "already initialized"
)

// Auth tells whether clients must log in.
var Auth bool

var (
	// Name of the replica set; empty when the server is none.
	set string
	// Where the member's address is kept, with the data.
	file string
	// Address of the one member, host and port; nil until the set is initiated.
	member atomic.Pointer[string]
)

// Open makes the server the member of a replica set, unless the name is empty. A set that was initiated stays so.
func Open(name, folder string) error {
	set, file = name, filepath.Join(folder, "replica-set-member")
	address, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	text := string(address)
	member.Store(&text)
	return nil
}

// Initiate is the command replSetInitiate: it makes the one member that the configuration names the primary.
func Initiate(command *types.Document) (*types.Document, error) {
	if set == "" {
		return nil, handlererrors.NewCommandErrorMsg(noReplication, needsReplication)
	}
	if member.Load() != nil {
		return nil, handlererrors.NewCommandErrorMsg(alreadyInitialized, alreadyInitializedA)
	}
	address, err := memberOf(command)
	if err != nil {
		return nil, handlererrors.NewCommandErrorMsg(invalidConfig, err.Error())
	}
	if err = os.WriteFile(file, []byte(address), 0o600); err != nil {
		return nil, err
	}
	member.Store(&address)
	return types.NewDocument("ok", float64(1))
}

// memberOf reads the address of the one member.
func memberOf(command *types.Document) (string, error) {
	value, _ := command.Get("replSetInitiate")
	config, ok := value.(*types.Document)
	if !ok {
		return "", errors.New("the stand-in needs a configuration")
	}
	if id, _ := config.Get("_id"); id != set {
		return "", fmt.Errorf("Attempting to initiate a replica set with name %v, but command line reports %s", id, set)
	}
	value, _ = config.Get("members")
	members, ok := value.(*types.Array)
	if !ok || members.Len() != 1 {
		return "", errors.New("the stand-in can be a set of one member only")
	}
	value, err := members.Get(0)
	if err != nil {
		return "", err
	}
	only, ok := value.(*types.Document)
	if !ok {
		return "", errors.New("the member is no document")
	}
	host, _ := only.Get("host")
	address, ok := host.(string)
	if !ok || address == "" {
		return "", errors.New("the member has no host")
	}
	return address, nil
}

// Hello adds to the answer to `hello` and `isMaster` what clients of a replica set look at.
func Hello(answer *types.Document) {
	if set == "" {
		return
	}
	address := member.Load()
	if address == nil {
		for _, name := range []string{"isWritablePrimary", "ismaster"} {
			if answer.Has(name) {
				answer.Set(name, false)
			}
		}
		answer.Set("secondary", false)
		answer.Set("isreplicaset", true)
		answer.Set("info", notYetInitialized)
		return
	}
	hosts, _ := types.NewArray(*address)
	answer.Set("setName", set)
	answer.Set("setVersion", int32(1))
	answer.Set("secondary", false)
	answer.Set("hosts", hosts)
	answer.Set("primary", *address)
	answer.Set("me", *address)
}
