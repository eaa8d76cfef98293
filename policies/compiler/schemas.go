package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

type schemas struct {
	Input    any            `json:"input"`
	Decision decisionSchema `json:"decision"`
}

// The part of the schema that is looked at here.
type decisionSchema struct {
	Properties map[string]struct {
		Items struct {
			Properties map[string]any `json:"properties"`
			Required   []string       `json:"required"`
		} `json:"items"`
	} `json:"properties"`
}

// The request is read strictly; a schema may say more than this program looks at.
func (d *decisionSchema) UnmarshalJSON(text []byte) error {
	type lenient decisionSchema
	return json.Unmarshal(text, (*lenient)(d))
}

// With the input's schema, a reference to what the gateway never sends is a type error of OPA's own.
func (s *schemas) set() *ast.SchemaSet {
	if s == nil {
		return nil
	}
	set := ast.NewSchemaSet()
	set.Put(ast.SchemaRootRef, s.Input)
	return set
}

// OPA does not look below what may also be null (`input.tool`, in a list of resources). So it is asked once more as if
// nothing ever were, and only believed about names that do not exist.
func misspelt(asked request, modules map[string]*ast.Module) []diagnostic {
	if asked.Schemas == nil {
		return nil
	}
	never := &schemas{Input: withoutNull(asked.Schemas.Input)}
	// Once more with `every` as `some`, below which OPA does not look either.
	return append(undefinedIn(asked, never, modules), undefinedIn(asked, never, withSome(modules))...)
}

func undefinedIn(asked request, never *schemas, modules map[string]*ast.Module) []diagnostic {
	checker := ast.NewCompiler().
		WithCapabilities(capabilities(asked.Supplied)).
		WithSchemas(never.set()).
		SetErrorLimit(mostErrors)
	checker.Compile(modules)
	return slices.DeleteFunc(diagnosticsOf(checker.Errors, ""), func(d diagnostic) bool {
		// Under whatever name it goes on: `some url in input.facts.urls`, and then `url.hosst`.
		return !strings.HasPrefix(d.Message, "undefined ref: ")
	})
}

// `every x in xs { … }` as `[true | x := xs[_]; …]`: what may be said of x is the same.
func withSome(modules map[string]*ast.Module) map[string]*ast.Module {
	changed := make(map[string]*ast.Module, len(modules))
	for path, module := range modules {
		changed[path] = module.Copy()
		ast.WalkRules(changed[path], func(rule *ast.Rule) bool {
			rule.Body = unrolled(rule.Body)
			return false
		})
	}
	return changed
}

func unrolled(body ast.Body) ast.Body {
	var plain ast.Body
	for _, expr := range body {
		every, ok := expr.Terms.(*ast.Every)
		if !ok {
			plain.Append(expr)
			continue
		}
		domain, ok := every.Domain.Value.(ast.Ref)
		if !ok {
			domain = ast.Ref{every.Domain}
		}
		element := &ast.Term{Value: domain.Append(ast.NewTerm(ast.Wildcard.Value)), Location: every.Domain.Location}
		within := ast.NewBody(ast.Assign.Expr(every.Value, element))
		for _, inner := range unrolled(every.Body) {
			within.Append(inner)
		}
		plain.Append(ast.NewExpr(ast.ArrayComprehensionTerm(ast.BooleanTerm(true), within).SetLocation(expr.Location)))
	}
	return plain
}

// The first of `anyOf: [something, null]`, everywhere.
func withoutNull(schema any) any {
	switch schema := schema.(type) {
	case map[string]any:
		if either, ok := schema["anyOf"].([]any); ok && len(either) == 2 {
			return withoutNull(either[0])
		}
		without := make(map[string]any, len(schema))
		for key, value := range schema {
			without[key] = withoutNull(value)
		}
		return without
	case []any:
		without := make([]any, len(schema))
		for i, value := range schema {
			without[i] = withoutNull(value)
		}
		return without
	}
	return schema
}

// A row that the gateway would not understand makes the whole decision unusable, and so every call a no. It is named here,
// where the row is written: `deny contains {"cod": "X"}`.
func strangeRows(s *schemas, modules map[string]*ast.Module) []diagnostic {
	if s == nil {
		return nil
	}
	var found []diagnostic
	for path, module := range modules {
		if module.Package.Path.String() != "data.sekisho" || strings.HasSuffix(path, "_test.rego") {
			continue
		}
		for _, rule := range module.Rules {
			member, known := s.Decision.Properties[rule.Head.Ref().String()]
			if !known || rule.Head.Key == nil {
				continue
			}
			row, ok := rule.Head.Key.Value.(ast.Object)
			if !ok {
				continue
			}
			report := func(at *ast.Location, message string) {
				found = append(found, diagnostic{at.File, at.Row, at.Col, "decision_shape", message})
			}
			named := map[string]bool{}
			row.Foreach(func(key, _ *ast.Term) {
				name, ok := key.Value.(ast.String)
				if !ok {
					return
				}
				named[string(name)] = true
				if _, known := member.Items.Properties[string(name)]; !known {
					report(key.Location, fmt.Sprintf("a row of %s has no %q", rule.Head.Ref(), string(name)))
				}
			})
			for _, name := range member.Items.Required {
				if !named[name] && allText(row) {
					report(rule.Head.Key.Location, fmt.Sprintf("a row of %s needs %q", rule.Head.Ref(), name))
				}
			}
		}
	}
	return found
}

// Whether the keys are written out: one that is worked out may be any.
func allText(row ast.Object) bool {
	return !slices.ContainsFunc(row.Keys(), func(key *ast.Term) bool {
		_, ok := key.Value.(ast.String)
		return !ok
	})
}
