// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/chartsign/chartsign/internal/limits"
)

// The names that mean something. Queries and checks use these, never text from outside.
const (
	packageName    = "chartsign"
	libraryName    = "lib"
	denyName       = "deny"
	warnName       = "warn"
	testSuffix     = "_test"
	helperPrefix   = "_"
	hintHelper     = "helpers begin with _ or live in package chartsign.lib"
	hintPartialSet = "write `%s contains message if { … }`"
)

// role is what a module is there for.
type role int

const (
	roleForbidden role = iota
	roleRules          // package chartsign
	roleLibrary        // package chartsign.lib and below
	roleTest           // package …_test
)

// roleOf reads the role off the path of the package, which begins with data.
func roleOf(path ast.Ref) role {
	names := make([]string, 0, len(path))
	for _, term := range path[1:] {
		name, ok := term.Value.(ast.String)
		if !ok {
			return roleForbidden
		}
		names = append(names, string(name))
	}
	switch {
	case len(names) == 0:
		return roleForbidden
	case strings.HasSuffix(names[len(names)-1], testSuffix):
		return roleTest
	case slices.Equal(names, []string{packageName}):
		return roleRules
	case len(names) >= 2 && names[0] == packageName && names[1] == libraryName:
		return roleLibrary
	default:
		return roleForbidden
	}
}

// checkNesting refuses what is nested deeper than people write. The compiler takes time
// that is exponential in the nesting of comprehensions, and cannot be interrupted.
func checkNesting(parsed *ast.Module) error {
	n := &nesting{}
	n.visitor = ast.NewBeforeAfterVisitor(n.enter, n.leave)
	n.visitor.Walk(parsed)
	switch {
	case n.deepest > limits.PolicyNesting:
		return mistake(ErrCompile, parsed.Package.Loc(), "nesting is %v: got %d levels, want at most %d", limits.ErrTooLarge, n.deepest, limits.PolicyNesting)
	case n.deepestQuery > limits.PolicyQueries:
		return mistake(ErrCompile, parsed.Package.Loc(), "nesting of comprehensions is %v: got %d levels, want at most %d", limits.ErrTooLarge, n.deepestQuery, limits.PolicyQueries)
	default:
		return nil
	}
}

// nesting counts how deep rules and terms, and queries within terms, are nested.
type nesting struct {
	visitor             *ast.BeforeAfterVisitor
	depth, deepest      int
	query, deepestQuery int
}

func (n *nesting) enter(x any) bool {
	n.count(x, 1)
	switch x := x.(type) { // what the visitor of OPA leaves out
	case *ast.Head:
		if len(x.Reference) > 0 && x.Key != nil {
			n.visitor.Walk(x.Key)
		}
	case *ast.TemplateString:
		for _, part := range x.Parts {
			n.visitor.Walk(part)
		}
	}
	n.deepest, n.deepestQuery = max(n.deepest, n.depth), max(n.deepestQuery, n.query)
	return false
}

func (n *nesting) leave(x any) { n.count(x, -1) }

func (n *nesting) count(x any, by int) {
	switch x.(type) {
	case *ast.Term, *ast.Rule:
		n.depth += by
	case *ast.ArrayComprehension, *ast.SetComprehension, *ast.ObjectComprehension, *ast.Every, *ast.TemplateString:
		n.query += by
	}
}

// checkModule returns whether the module is to be evaluated, and what is wrong with it.
func checkModule(m module, parsed *ast.Module) (evaluate bool, err error) {
	if err := checkNesting(parsed); err != nil {
		return false, err
	}
	switch r := roleOf(parsed.Package.Path); {
	case r == roleForbidden:
		return false, mistake(ErrForbiddenPackage, parsed.Package.Loc(),
			"got package %s, want chartsign, chartsign.lib, or a name below or ending in _test", packagePath(parsed))
	case r == roleTest:
		return false, nil
	case isTestFile(m.name):
		return false, checkTestFile(r, parsed)
	case r == roleRules:
		return true, errors.Join(checkRules(parsed), checkBuiltins(parsed))
	default:
		return true, checkBuiltins(parsed)
	}
}

func packagePath(parsed *ast.Module) string {
	return strings.TrimPrefix(parsed.Package.Path.String(), "data.")
}

// checkTestFile refuses rules that look as if they were enforced, in a file that is not.
func checkTestFile(r role, parsed *ast.Module) error {
	for _, rule := range parsed.Rules {
		if name := ruleName(rule); r == roleRules && (name == denyName || name == warnName) {
			return mistake(ErrUnknownRule, rule.Loc(),
				"got %s in a test file, which is never evaluated: move the rule, or use package chartsign_test", name)
		}
	}
	return nil
}

// checkRules holds package chartsign to deny, warn and helpers.
func checkRules(parsed *ast.Module) error {
	var errs []error
	for _, rule := range parsed.Rules {
		switch name := ruleName(rule); {
		case name == denyName || name == warnName:
			if !isPartialSet(rule) {
				errs = append(errs, mistake(ErrRuleKind, rule.Loc(), "got %s of another kind: "+hintPartialSet, name, name))
			}
		case !strings.HasPrefix(name, helperPrefix):
			errs = append(errs, mistake(ErrUnknownRule, rule.Loc(), "got %s, want deny or warn: %s", name, hintFor(name)))
		}
	}
	return errors.Join(errs...)
}

// isPartialSet reports whether rule is `name contains element`, and name no deeper one. What
// has a value is something else: a default, a function, an object or a complete rule.
func isPartialSet(rule *ast.Rule) bool {
	return rule.Head.Key != nil && rule.Head.Value == nil && len(rule.Head.Ref()) == 1
}

func ruleName(rule *ast.Rule) string {
	name, ok := rule.Head.Ref()[0].Value.(ast.Var)
	if !ok {
		return rule.Head.Ref().String()
	}
	return string(name)
}

// hintFor says what to write instead of an unknown name.
func hintFor(name string) string {
	for _, known := range []string{denyName, warnName} {
		if strings.HasPrefix(name, known) || distance(name, known) <= 2 {
			return "did you mean " + known + "? " + hintHelper
		}
	}
	return hintHelper
}

// distance is the Levenshtein distance, the number of edits from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// checkBuiltins reports functions that are forbidden with a reason, wherever they are
// mentioned: called, replaced by `with`, or put in place of another function. It also
// refuses the time zone Local, which is that of the environment.
func checkBuiltins(parsed *ast.Module) error {
	names := forbiddenNames()
	var errs []error
	ast.WalkRefs(parsed, func(ref ast.Ref) bool {
		if name := ref.String(); names[name] && len(ref) > 1 {
			errs = append(errs, mistake(ErrForbiddenBuiltin, ref[0].Loc(),
				"got %s, want a decision by the input alone: no network, no environment, no clock but input.time", name))
		}
		return false
	})
	ast.WalkTerms(parsed, func(term *ast.Term) bool {
		if zone, ok := zoneOf(term); ok && zone == "Local" {
			errs = append(errs, mistake(ErrForbiddenBuiltin, term.Loc(), "got the time zone Local, want one by name"))
		}
		return false
	})
	return errors.Join(errs...)
}

// zoneOf returns the second element of an array [time, zone] or [time, zone, layout].
func zoneOf(term *ast.Term) (string, bool) {
	array, ok := term.Value.(*ast.Array)
	if !ok || array.Len() < 2 || array.Len() > 3 {
		return "", false
	}
	zone, ok := array.Elem(1).Value.(ast.String)
	return string(zone), ok
}
