package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// One list for this program and for an `opa` found on the PATH: what the wasm module can do by itself, without
// calling out to its host. Whatever is not in it is refused here, where file and line are known.
//
//go:embed builtins.json
var builtinsJSON []byte

var builtins = func() (list struct {
	Allowed []string          `json:"allowed"`
	Instead map[string]string `json:"instead"`
}) {
	if err := json.Unmarshal(builtinsJSON, &list); err != nil {
		panic(err)
	}
	return list
}()

// What a module may use: the list, and what the asker says that it supplies to the module itself.
func allows(supplied []string, name string) bool {
	return slices.Contains(builtins.Allowed, name) || slices.Contains(supplied, name)
}

// Rego v1 and nothing beside it: no v2 import, no network for schemas, and of the future keywords only `not`, whose
// meaning without the import is a trap (see vanishingNegations).
func capabilities(supplied []string) *ast.Capabilities {
	all := ast.CapabilitiesForThisVersion(ast.CapabilitiesRegoVersion(ast.RegoV1))
	return &ast.Capabilities{
		Builtins: slices.DeleteFunc(slices.Clone(all.Builtins), func(b *ast.Builtin) bool {
			return !allows(supplied, b.Name)
		}),
		FutureKeywords: []string{"not"},
		Features:       []string{ast.FeatureRegoV1, ast.FeatureKeywordsInRefs, ast.FeatureTemplateStrings},
		AllowNet:       []string{},
	}
}

// OPA itself would say "undefined function"; this says what to write instead.
func forbiddenBuiltins(supplied []string, modules map[string]*ast.Module) []diagnostic {
	var found []diagnostic
	report := func(name string, at *ast.Location) {
		if _, known := ast.BuiltinMap[name]; !known || allows(supplied, name) {
			return
		}
		why, told := builtins.Instead[name]
		if !told {
			why = "the gateway's engine has no such function"
		}
		message := fmt.Sprintf("%s is not available in a policy: %s", name, why)
		found = append(found, diagnostic{at.File, at.Row, at.Col, "builtin_forbidden", message})
	}
	for _, module := range modules {
		visitor := ast.NewGenericVisitor(func(x any) bool {
			switch x := x.(type) {
			case *ast.Expr:
				if x.IsCall() {
					report(x.Operator().String(), x.OperatorTerm().Location)
				}
			case *ast.Term:
				if call, ok := x.Value.(ast.Call); ok {
					report(call[0].Value.String(), x.Location)
				}
			case *ast.With:
				report(x.Target.Value.String(), x.Target.Location)
				report(x.Value.Value.String(), x.Value.Location)
			}
			return false
		})
		visitor.Walk(module)
	}
	return found
}
