package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	opa "github.com/open-policy-agent/opa/v1/compile"
	opafmt "github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/util"
)

const mostErrors = 50

func parserOptions(asked request) ast.ParserOptions {
	return ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: capabilities(asked.Supplied)}
}

func parse(asked request) (map[string]*ast.Module, []diagnostic) {
	modules := make(map[string]*ast.Module, len(asked.Files))
	var broken []diagnostic
	for _, path := range util.KeysSorted(asked.Files) {
		module, err := ast.ParseModuleWithOpts(path, asked.Files[path], parserOptions(asked))
		if err != nil {
			broken = append(broken, diagnosticsOf(err, path)...)
			continue
		}
		if module == nil {
			broken = append(broken, diagnostic{path, 1, 1, ast.ParseErr, "empty module"})
			continue
		}
		modules[path] = module
	}
	return modules, broken
}

func format(asked request) (answer, error) {
	formatted := make(map[string]string, len(asked.Files))
	options := parserOptions(asked)
	for path, text := range asked.Files {
		pretty, err := opafmt.SourceWithOpts(path, []byte(text), opafmt.Opts{RegoVersion: ast.RegoV1, ParserOptions: &options})
		if err != nil {
			return answer{Diagnostics: diagnosticsOf(err, path)}, nil
		}
		formatted[path] = string(pretty)
	}
	return answer{Formatted: formatted}, nil
}

func compile(asked request, modules map[string]*ast.Module) (answer, error) {
	tests, broken := testRules(modules)
	broken = append(broken, forbiddenBuiltins(asked.Supplied, modules)...)
	broken = append(broken, vanishingNegations(modules)...)
	if len(broken) > 0 {
		return answer{Diagnostics: sorted(broken)}, nil
	}
	var covered []coveredRule
	if asked.Coverage {
		covered = cover(modules)
	}
	checker := ast.NewCompiler().
		WithSchemas(asked.Schemas.set()).
		WithCapabilities(capabilities(asked.Supplied)).
		WithStrict(true).
		WithPathConflictsCheck(func(path []string) (bool, error) { return holds(asked.Data, path), nil }).
		SetErrorLimit(mostErrors)
	checker.Compile(modules)
	broken = strangeRows(asked.Schemas, modules)
	if checker.Failed() {
		broken = append(broken, diagnosticsOf(checker.Errors, "")...)
	}
	for _, d := range misspelt(asked, modules) {
		if !slices.Contains(broken, d) {
			broken = append(broken, d)
		}
	}
	if len(broken) > 0 {
		return answer{Diagnostics: sorted(broken)}, nil
	}
	given := answer{InputRefs: inputRefs(checker.Modules), Tests: tests, Covered: covered}
	entrypoints := asked.Entrypoints
	if asked.Mode == "test" {
		entrypoints = make([]string, len(tests))
		for i, test := range tests {
			entrypoints[i] = test.Entrypoint
		}
	}
	for _, entrypoint := range entrypoints {
		if len(checker.GetRules(ast.MustParseRef("data."+strings.ReplaceAll(entrypoint, "/", ".")))) == 0 {
			given.Diagnostics = append(given.Diagnostics, diagnostic{
				Code:    "entrypoint_missing",
				Message: fmt.Sprintf("no policy defines data.%s", strings.ReplaceAll(entrypoint, "/", ".")),
			})
		}
	}
	if len(given.Diagnostics) > 0 || asked.Mode == "check" || len(entrypoints) == 0 {
		return given, nil
	}
	var err error
	given.Wasm, err = toWasm(asked, modules, entrypoints)
	return given, err
}

func toWasm(asked request, modules map[string]*ast.Module, entrypoints []string) ([]byte, error) {
	built := &bundle.Bundle{Data: asked.Data}
	built.SetRegoVersion(ast.RegoV1)
	built.Manifest.Init()
	for _, path := range util.KeysSorted(modules) {
		raw := []byte(asked.Files[path])
		built.Modules = append(built.Modules, bundle.ModuleFile{URL: path, Path: path, Raw: raw, Parsed: modules[path]})
	}
	compiler := opa.New().
		WithBundle(built).
		WithRegoVersion(ast.RegoV1).
		WithCapabilities(capabilities(asked.Supplied)).
		WithTarget(opa.TargetWasm).
		WithEntrypoints(entrypoints...)
	if err := compiler.Build(context.Background()); err != nil {
		return nil, err
	}
	return compiler.Bundle().WasmModules[0].Raw, nil
}

func holds(data map[string]any, path []string) bool {
	var node any = data
	for _, key := range path {
		object, ok := node.(map[string]any)
		if !ok {
			return false
		}
		if node, ok = object[key]; !ok {
			return false
		}
	}
	return true
}

func diagnosticsOf(err error, path string) []diagnostic {
	var list ast.Errors
	var one *ast.Error
	if !errors.As(err, &list) {
		if !errors.As(err, &one) {
			return []diagnostic{{File: path, Code: ast.CompileErr, Message: err.Error()}}
		}
		list = ast.Errors{one}
	}
	found := make([]diagnostic, 0, len(list))
	for _, e := range list {
		d := diagnostic{File: path, Code: e.Code, Message: e.Message}
		if e.Location != nil { // the column of an unexpected end is 0
			d.File, d.Row, d.Col = e.Location.File, e.Location.Row, max(e.Location.Col, 1)
		}
		found = append(found, d)
	}
	return found
}

func sorted(list []diagnostic) []diagnostic {
	slices.SortStableFunc(list, func(a, b diagnostic) int {
		if a.File != b.File {
			return strings.Compare(a.File, b.File)
		}
		if a.Row != b.Row {
			return a.Row - b.Row
		}
		return a.Col - b.Col
	})
	return list
}
