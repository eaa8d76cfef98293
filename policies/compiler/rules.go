package main

import (
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"
)

// The test_ rules, each to become an entrypoint of its own. Two forms would hide a failure there, so they are
// refused: a name defined twice (true if either is) and a test with cases (a failed case is merely absent).
func testRules(modules map[string]*ast.Module) ([]testRule, []diagnostic) {
	var tests []testRule
	var broken []diagnostic
	seen := map[string]bool{}
	for _, path := range util.KeysSorted(modules) {
		for _, rule := range modules[path].Rules {
			name := strings.TrimPrefix(rule.Head.Ref()[0].Value.String(), `"`)
			if !strings.HasPrefix(name, "test_") || len(rule.Head.Args) > 0 {
				continue
			}
			at := rule.Location
			full := modules[path].Package.Path.Extend(rule.Head.Ref())
			if len(rule.Head.Ref()) > 1 || rule.Head.Key != nil {
				message := fmt.Sprintf("%s has cases: the failed ones would go unseen; write one rule each, or every", name)
				broken = append(broken, diagnostic{at.File, at.Row, at.Col, "test_with_cases", message})
				continue
			}
			if seen[full.String()] {
				message := fmt.Sprintf("%s is defined twice: one would hide the other's failure", name)
				broken = append(broken, diagnostic{at.File, at.Row, at.Col, "test_defined_twice", message})
				continue
			}
			seen[full.String()] = true
			entrypoint, err := full.Ptr()
			if err != nil {
				broken = append(broken, diagnostic{at.File, at.Row, at.Col, ast.CompileErr, err.Error()})
				continue
			}
			tests = append(tests, testRule{name, entrypoint, at.File, at.Row})
		}
	}
	return tests, broken
}

// The paths below input that any rule refers to, dotted; "" means the whole of it.
func inputRefs(modules map[string]*ast.Module) []string {
	found := map[string]struct{}{}
	var visitor *ast.GenericVisitor
	visitor = ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case ast.Ref:
			if !x[0].Equal(ast.InputRootDocument) {
				return false
			}
			found[strings.Join(groundKeys(x[1:]), ".")] = struct{}{}
			for _, term := range x[1:] {
				visitor.Walk(term)
			}
			return true
		case ast.Var: // all of it, passed on as a value
			if x.Equal(ast.InputRootDocument.Value) {
				found[""] = struct{}{}
			}
		}
		return false
	})
	for _, module := range modules {
		visitor.Walk(module)
	}
	return util.KeysSorted(found)
}

func groundKeys(terms []*ast.Term) []string {
	var keys []string
	for _, term := range terms {
		key, ground := term.Value.(ast.String)
		// A key with a dot in it would read as two: the path ends before it.
		if !ground || strings.Contains(string(key), ".") {
			return keys
		}
		keys = append(keys, string(key))
	}
	return keys
}
