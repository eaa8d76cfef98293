package main

import (
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"
)

type coveredRule struct {
	Name string `json:"name"`
	File string `json:"file"`
	Row  int    `json:"row"`
}

// Ends the body of each rule that is no test with trace("its number"): whoever supplies trace to the module is told which
// rules held, on the engine that enforces, without a second evaluator.
func cover(modules map[string]*ast.Module) []coveredRule {
	var covered []coveredRule
	for _, path := range util.KeysSorted(modules) {
		if strings.HasSuffix(path, "_test.rego") {
			continue
		}
		for _, rule := range modules[path].Rules {
			for branch := rule; branch != nil; branch = branch.Else {
				if branch.Default {
					continue
				}
				note := ast.StringTerm(strconv.Itoa(len(covered)))
				told := ast.NewExpr([]*ast.Term{ast.NewTerm(ast.Trace.Ref()), note})
				told.SetLoc(branch.Loc())
				branch.Body.Append(told)
				covered = append(covered, coveredRule{rule.Head.Ref().String(), branch.Loc().File, branch.Loc().Row})
			}
		}
	}
	return covered
}
