// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/chartsign/chartsign/internal/limits"
)

// Options name a policy.
type Options struct {
	// Sources are files .rego, and directories that are read with all below them: modules,
	// and data.json, data.yaml or data.yml. Each must hold at least one module that is
	// evaluated. Symbolic links out of a directory are refused.
	Sources []string
	// Data are more documents, JSON or YAML, merged at the top of `data`.
	Data []string
	// Timeout is the deadline of each evaluation. Zero means that of internal/limits: two
	// seconds.
	Timeout time.Duration
}

// Policy is a compiled policy. It is immutable and safe for concurrent use.
type Policy struct {
	query   *rego.PreparedEvalQuery
	digest  string
	sources []string
	timeout time.Duration
}

// Compile reads, checks, compiles and prepares the policy that opts name.
func Compile(ctx context.Context, opts Options) (*Policy, error) {
	loaded, err := load(ctx, opts)
	if err != nil {
		return nil, err
	}
	data, err := mergeDocuments(loaded.documents)
	if err != nil {
		return nil, err
	}
	p, used, err := newPolicy(ctx, loaded.modules, data, opts.Timeout)
	if err != nil {
		return nil, err
	}
	if err := checkSources(opts.Sources, used); err != nil {
		return nil, err
	}
	p.sources = slices.Concat(opts.Sources, opts.Data)
	return p, nil
}

// CompileModules compiles modules that are in memory, by name; a name that ends in
// _test.rego is that of a test. Data may be nil; it is copied. Timeout is that of Options.
func CompileModules(ctx context.Context, modules map[string]string, data map[string]any, timeout time.Duration) (*Policy, error) {
	if len(modules) > limits.PolicyModules {
		return nil, sourceError(ErrSource, "", fmt.Errorf("policy is %w: got %d modules, want at most %d", limits.ErrTooLarge, len(modules), limits.PolicyModules))
	}
	var list []module
	for _, name := range sortedKeys(modules) {
		if size := len(modules[name]); int64(size) > limits.PolicyModule {
			return nil, sourceError(ErrSource, name, fmt.Errorf("module is %w: got %d bytes, want at most %d", limits.ErrTooLarge, size, limits.PolicyModule))
		}
		list = append(list, module{name: name, path: name, source: name, text: modules[name]})
	}
	data, err := copyData(data)
	if err != nil {
		return nil, err
	}
	p, _, err := newPolicy(ctx, list, data, timeout)
	if err != nil {
		return nil, err
	}
	p.sources = sortedKeys(modules)
	return p, nil
}

func newPolicy(ctx context.Context, modules []module, data map[string]any, timeout time.Duration) (*Policy, []module, error) {
	if timeout < 0 {
		return nil, nil, fmt.Errorf("policy timeout: got %s, want zero or more", timeout)
	}
	if timeout == 0 {
		timeout = limits.PolicyTime
	}
	var query *rego.PreparedEvalQuery
	var used []module
	err := guard(func() (err error) {
		query, used, err = build(ctx, modules, data)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	digest, err := digestOf(used, data)
	if err != nil {
		return nil, nil, err
	}
	return &Policy{query: query, digest: digest, timeout: timeout}, used, nil
}

// checkSources refuses a source that adds nothing: an empty directory is a mistyped one.
func checkSources(sources []string, used []module) error {
	for _, source := range sources {
		if !slices.ContainsFunc(used, func(m module) bool { return m.source == source }) {
			return sourceError(ErrSource, source, errors.New("got no module to evaluate, want at least one .rego that is no test"))
		}
	}
	return nil
}

// Digest is "sha256:" and the hexadecimal digest over the names within their sources and
// the contents of all evaluated modules, and the merged data. It does not depend on where
// the files are, and not on tests.
func (p *Policy) Digest() string { return p.digest }

// Sources returns the sources and data files as they were named, or the names of modules.
func (p *Policy) Sources() []string { return slices.Clone(p.sources) }

// Evaluate decides about in. A policy that comes to no decision denies by one of RuleError,
// RuleTimeout and RuleUndefined. The error is not nil only if ctx has ended or the call
// makes no sense; the Decision is zero then and allows nothing.
func (p *Policy) Evaluate(ctx context.Context, in Input) (Decision, error) {
	if p == nil || p.query == nil {
		return Decision{}, errors.New("evaluate policy: got a zero Policy, want one from Compile")
	}
	if in.Time.IsZero() {
		return Decision{}, errors.New("evaluate policy: got no time in the input, want the effective time")
	}
	value, err := encode(in)
	if err != nil {
		return p.denied(RuleError, err.Error()), nil
	}
	limited, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	results, err := p.run(limited, value, in.Time)
	switch {
	case ctx.Err() != nil:
		return Decision{}, fmt.Errorf("evaluate policy: %w", context.Cause(ctx))
	case limited.Err() != nil || topdown.IsCancel(err):
		return p.denied(RuleTimeout, fmt.Sprintf("the policy took longer than %s", p.timeout)), nil
	case err != nil:
		return p.denied(RuleError, err.Error()), nil
	default:
		return p.decide(results), nil
	}
}

// encode returns the input as Rego sees it, or an error if that is too large.
func encode(in Input) (ast.Value, error) {
	text, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	if len(text) > limits.PolicyInput {
		return nil, fmt.Errorf("policy input is %w: got %d bytes, want at most %d", limits.ErrTooLarge, len(text), limits.PolicyInput)
	}
	value, err := parseJSON(text)
	if err != nil {
		return nil, fmt.Errorf("policy input: %w", err)
	}
	return ast.InterfaceToValue(value)
}

// run evaluates the query once. A panic of OPA is an error, which denies.
func (p *Policy) run(ctx context.Context, input ast.Value, now time.Time) (results rego.ResultSet, err error) {
	defer func() {
		if r := recover(); r != nil {
			results, err = nil, fmt.Errorf("evaluation panicked: %v", r)
		}
	}()
	return p.query.Eval(ctx,
		rego.EvalParsedInput(input),
		rego.EvalTime(now),
		rego.EvalSeed(zeroes{}),
		rego.EvalSortSets(true))
}

// decide mints the Decision from the result of the query: exactly one, with a set for deny
// and one for warn if the policy defines it.
func (p *Policy) decide(results rego.ResultSet) Decision {
	if len(results) != 1 {
		return p.denied(RuleUndefined, fmt.Sprintf("the policy has %d results, want 1", len(results)))
	}
	deny, ok := results[0].Bindings[denyName]
	if !ok {
		return p.denied(RuleUndefined, "the policy has no result for deny")
	}
	denials, problems := parseFindings(denyName, deny)
	var warnings []Finding
	if warn, ok := results[0].Bindings[warnName]; ok {
		var more []Finding
		warnings, more = parseFindings(warnName, warn)
		problems = append(problems, more...)
	}
	denials = append(denials, problems...)
	return Decision{allowed: len(denials) == 0, denials: denials, warnings: warnings, digest: p.digest, sources: p.sources}
}

// denied mints a Decision for a policy that came to none. Messages of OPA may have lines.
func (p *Policy) denied(rule, message string) Decision {
	finding := Finding{Rule: rule, Message: shorten(strings.Join(strings.Fields(message), " "))}
	return Decision{denials: []Finding{finding}, digest: p.digest, sources: p.sources}
}

// zeroes is the seed of the evaluation: nothing is random.
type zeroes struct{}

func (zeroes) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
