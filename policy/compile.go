// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

//go:embed input.schema.json
var inputSchema []byte

// The queries are constants: no text from outside ever becomes part of one (CVE-2025-46569).
const (
	denyQuery = "deny = data.chartsign.deny"
	warnQuery = "; warn = data.chartsign.warn"
)

// build checks, compiles and prepares modules over data.
func build(ctx context.Context, modules []module, data map[string]any) (*rego.PreparedEvalQuery, []module, error) {
	parsed, evaluated, err := parseModules(modules)
	if err != nil {
		return nil, nil, err
	}
	query, err := queryFor(parsed)
	if err != nil {
		return nil, nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("compile policy: %w", err)
	}
	compiler, err := compile(parsed)
	if err != nil {
		return nil, nil, err
	}
	if err := checkReferences(compiler, data); err != nil {
		return nil, nil, err
	}
	prepared, err := prepare(ctx, compiler, data, query)
	return prepared, evaluated, err
}

// parseModules parses and checks every module; it returns those that are to be evaluated.
func parseModules(modules []module) (parsed map[string]*ast.Module, evaluated []module, err error) {
	parsed = make(map[string]*ast.Module)
	caps := capabilities()
	var errs []error
	for _, m := range modules {
		tree, err := parse(m, caps)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		evaluate, err := checkModule(m, tree)
		errs = append(errs, err)
		if evaluate {
			parsed[m.path] = tree
			evaluated = append(evaluated, m)
		}
	}
	return parsed, evaluated, errors.Join(errs...)
}

// parse reads Rego v1 and nothing older or newer. Annotations are read for
// rego.metadata.rule, and so that a malformed one is an error.
func parse(m module, caps *ast.Capabilities) (*ast.Module, error) {
	tree, err := ast.ParseModuleWithOpts(m.path, m.text, ast.ParserOptions{
		Capabilities:      caps,
		ProcessAnnotation: true,
		RegoVersion:       ast.RegoV1,
	})
	switch {
	case err != nil:
		return nil, regoErrors(m.path, err)
	case tree == nil:
		return nil, sourceError(ErrCompile, m.path, errors.New("got an empty module"))
	default:
		return tree, nil
	}
}

// queryFor returns the query for the rules that the modules define.
func queryFor(parsed map[string]*ast.Module) (string, error) {
	defined := make(map[string]bool)
	for _, tree := range parsed {
		if roleOf(tree.Package.Path) != roleRules {
			continue
		}
		for _, rule := range tree.Rules {
			defined[ruleName(rule)] = true
		}
	}
	switch {
	case !defined[denyName]:
		return "", mistake(ErrNoDeny, nil, "want `deny contains message if { … }` in package chartsign")
	case defined[warnName]:
		return denyQuery + warnQuery, nil
	default:
		return denyQuery, nil
	}
}

// compile compiles against the schema of the input. Schemas in annotations are not used:
// they may refer to URLs.
func compile(parsed map[string]*ast.Module) (*ast.Compiler, error) {
	var schema any
	if err := json.Unmarshal(inputSchema, &schema); err != nil {
		return nil, fmt.Errorf("schema of the policy input: %w", err)
	}
	schemas := ast.NewSchemaSet()
	schemas.Put(ast.SchemaRootRef, schema)
	compiler := ast.NewCompiler().
		WithCapabilities(capabilities()).
		WithDefaultRegoVersion(ast.RegoV1).
		WithSchemas(schemas).
		WithUseTypeCheckAnnotations(false).
		WithEnablePrintStatements(false)
	if compiler.Compile(parsed); compiler.Failed() {
		return nil, regoErrors("", compiler.Errors)
	}
	return compiler, nil
}

// prepare prepares query. Errors of built-in functions are errors: otherwise a version that
// is not semantic would make a rule undefined, and a deny that is undefined allows.
func prepare(ctx context.Context, compiler *ast.Compiler, data map[string]any, query string) (*rego.PreparedEvalQuery, error) {
	prepared, err := rego.New(
		rego.Compiler(compiler),
		rego.Store(inmem.NewFromObjectWithOpts(data, inmem.OptReturnASTValuesOnRead(true))),
		rego.Query(query),
		rego.Capabilities(compiler.Capabilities()),
		rego.SetRegoVersion(ast.RegoV1),
		rego.StrictBuiltinErrors(true),
	).PrepareForEval(ctx)
	if err != nil {
		return nil, regoErrors("", err)
	}
	return &prepared, nil
}

// guard turns a panic of OPA into an error: a crafted policy must not stop a gate
// (CVE-2022-33082).
func guard(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = mistake(ErrCompile, nil, "compiler panicked: %v", r)
		}
	}()
	return do()
}

// checkReferences refuses references below data that can never be defined, in the rules or
// in the documents. OPA leaves them undefined, as data could come later; here it cannot.
func checkReferences(compiler *ast.Compiler, data map[string]any) error {
	var errs []error
	for _, name := range sortedKeys(compiler.Modules) {
		ast.WalkRefs(compiler.Modules[name], func(ref ast.Ref) bool {
			if ref.HasPrefix(ast.DefaultRootRef) && !resolves(compiler.RuleTree, data, ref) {
				errs = append(errs, mistake(ErrCompile, ref[0].Loc(),
					"got a reference to %s, which neither a rule nor the policy data defines", ref.ConstantPrefix()))
			}
			return false
		})
	}
	return errors.Join(errs...)
}

// resolves follows the constant part of ref through rules, or else through data.
func resolves(rules *ast.TreeNode, data map[string]any, ref ast.Ref) bool {
	node, value := rules.Child(ref[0].Value), any(data)
	for _, term := range ref[1:] {
		key, ok := term.Value.(ast.String)
		if !ok {
			return true
		}
		if node = childOf(node, key); node != nil && len(node.Values) > 0 {
			return true
		}
		object, isObject := value.(map[string]any)
		if value, ok = object[string(key)]; !isObject || !ok {
			value = nil
		}
		if node == nil && !ok {
			return false
		}
	}
	return true
}

func childOf(node *ast.TreeNode, key ast.String) *ast.TreeNode {
	if node == nil {
		return nil
	}
	return node.Child(key)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
