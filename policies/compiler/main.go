// Command rego-compiler is OPA's own compiler behind one JSON document in and one JSON document out.
// It is built for GOOS=js GOARCH=wasm and run by the gateway in a child process; it opens no file and no socket.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/open-policy-agent/opa/v1/version"
)

type request struct {
	Mode        string            `json:"mode"` // build, check, test or format
	Files       map[string]string `json:"files"`
	Data        map[string]any    `json:"data"`
	Entrypoints []string          `json:"entrypoints"`
	Supplied    []string          `json:"supplied"` // built-in functions that the asker supplies to the module
	Schemas     *schemas          `json:"schemas"`  // of the two documents; null: nobody looks at their shapes
	Coverage    bool              `json:"coverage"` // rules say when they hold, by calling trace(their number)
}

type diagnostic struct {
	File    string `json:"file"`
	Row     int    `json:"row"`
	Col     int    `json:"col"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

type testRule struct {
	Name       string `json:"name"`
	Entrypoint string `json:"entrypoint"`
	File       string `json:"file"`
	Row        int    `json:"row"`
}

type answer struct {
	OPAVersion  string            `json:"opaVersion"`
	Diagnostics []diagnostic      `json:"diagnostics"`
	Wasm        []byte            `json:"wasm,omitempty"` // encoding/json writes bytes as base64
	InputRefs   []string          `json:"inputRefs,omitzero"`
	Tests       []testRule        `json:"tests,omitempty"`
	Formatted   map[string]string `json:"formatted,omitempty"`
	Covered     []coveredRule     `json:"covered,omitempty"`
}

func main() {
	var asked request
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		fail(fmt.Errorf("request: %w", err))
	}
	given, err := respond(asked)
	if err != nil {
		fail(err)
	}
	given.OPAVersion = version.Version
	if given.Diagnostics == nil {
		given.Diagnostics = []diagnostic{}
	}
	if err := json.NewEncoder(os.Stdout).Encode(given); err != nil {
		fail(err)
	}
}

func respond(asked request) (answer, error) {
	modules, broken := parse(asked)
	if len(broken) > 0 {
		return answer{Diagnostics: broken}, nil
	}
	switch asked.Mode {
	case "format":
		return format(asked)
	case "check", "build", "test":
		return compile(asked, modules)
	default:
		return answer{}, fmt.Errorf("unknown mode %q", asked.Mode)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
