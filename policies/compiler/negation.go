package main

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Without `import future.keywords.not`, what stands in a negated expression is worked out before the `not`: where it
// is undefined the rule is skipped. For a deny rule that means: let through. So the import is demanded, except where
// nothing can be undefined in between (`not input.x`, `not some_rule`) and in tests, where a skipped rule fails.
func vanishingNegations(modules map[string]*ast.Module) []diagnostic {
	var found []diagnostic
	for path, module := range modules {
		if strings.HasSuffix(path, "_test.rego") {
			continue
		}
		visitor := ast.NewGenericVisitor(func(x any) bool {
			if expr, ok := x.(*ast.Expr); ok && expr.Negated && !simple(expr) {
				found = append(found, diagnostic{
					File: expr.Location.File, Row: expr.Location.Row, Col: expr.Location.Col, Code: "not_vanishes",
					Message: "where something in here is undefined, the whole rule would be skipped: " +
						"add `import future.keywords.not` to this file",
				})
			}
			return false
		})
		visitor.Walk(module)
	}
	return found
}

func simple(expr *ast.Expr) bool {
	term, ok := expr.Terms.(*ast.Term)
	if !ok {
		return false
	}
	ref, ok := term.Value.(ast.Ref)
	if !ok {
		_, isVar := term.Value.(ast.Var)
		return isVar
	}
	for _, key := range ref[1:] {
		switch key.Value.(type) {
		case ast.String, ast.Number, ast.Var:
		default:
			return false
		}
	}
	return true
}
