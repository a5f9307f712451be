// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package policy judges verified facts about a chart with Rego and mints the Decision.
//
// # Who may import it
//
// Package gate, and programs that have verified facts of their own. This is the one package
// of chartsign that imports OPA. It opens no connection and reads no environment and no
// clock; it reads the files that Options names while it compiles, and nothing afterwards.
//
// # What a policy is
//
//   - Modules are Rego v1 in package chartsign, or in chartsign.lib and below for helpers.
//     Any other package is refused (ErrForbiddenPackage).
//   - Package chartsign MUST define deny and MAY define warn, both as partial sets:
//     `deny contains …` (ErrNoDeny, ErrRuleKind). Helpers there MUST begin with an
//     underscore; any other name is refused (ErrUnknownRule), since a typo must not allow.
//   - Elements are a string, or an object with `msg` or `message`, and optionally one of
//     `rule`, `short_name` or `code`, and `solution`; other keys are left alone. An element
//     without a rule gets the name of its set, deny or warn.
//   - Packages whose name ends in _test, and test_ rules in files *_test.rego, are tests and
//     are not loaded. A file *_test.rego that defines deny or warn is refused.
//   - References to fields that the input does not have, to rules that do not exist and to
//     data that was not given are errors (ErrCompile): they would be undefined for ever,
//     and a deny that is undefined allows. For optional keys: object.get(data.lists, "x", []).
//   - Data documents are YAML or JSON with an object at the top, never with the key
//     `chartsign`; a key that two files set to a value is an error (ErrData).
//   - Functions that reach the network, the environment, a clock or randomness do not exist
//     (ErrForbiddenBuiltin). The only clock is input.time.
//
// # What a decision is
//
// No denial: allowed. A policy that cannot come to a decision denies: an error or a panic
// during evaluation, an error of a built-in function, an odd element or an input that is too
// large deny by RuleError, a missed deadline by RuleTimeout, an undefined result by
// RuleUndefined. Callers MUST NOT let anybody waive those three. An error is returned
// only if ctx has ended or the call makes no sense, and the Decision beside it allows nothing.
//
// Fields of the input that do not apply are absent, and so undefined in Rego; lists are
// always there. `not signer.signedAt` holds for a signature without a time.
//
// The deadline is looked at between steps, so that one call of a built-in function ends
// first; OPA bounds no memory. Policies are trusted to that extent, inputs are not.
//
// # Example
//
//	p, err := policy.Compile(ctx, policy.Options{Sources: []string{"policy/"}})
//	if err != nil {
//		return err
//	}
//	decision, err := p.Evaluate(ctx, policy.Input{Name: "nginx", Version: "1.2.3", Time: now})
//	if err != nil {
//		return err
//	}
//	for _, denial := range decision.Denials() {
//		fmt.Println(denial.Rule, denial.Message, denial.Solution)
//	}
//
// A Policy is compiled and prepared once and evaluated by any number of goroutines.
package policy
