// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// The kinds of mistakes in a policy; each error of Compile and CompileModules about the
// policy wraps one of them in an *Error.
var (
	// ErrSource: a file or directory cannot be read, or may not be.
	ErrSource = errors.New("unusable policy source")
	// ErrNoDeny: no module defines deny in package chartsign, so nothing could be denied.
	ErrNoDeny = errors.New("policy defines no deny")
	// ErrForbiddenPackage: a module is in a package that is never evaluated.
	ErrForbiddenPackage = errors.New("forbidden package")
	// ErrUnknownRule: package chartsign has a rule that is neither deny, warn nor a helper.
	ErrUnknownRule = errors.New("unknown rule")
	// ErrRuleKind: deny or warn is not a partial set rule.
	ErrRuleKind = errors.New("deny and warn must be sets")
	// ErrForbiddenBuiltin: a function is not available to policies.
	ErrForbiddenBuiltin = errors.New("forbidden built-in function")
	// ErrCompile: a module is not valid Rego v1, or refers to something that does not exist.
	ErrCompile = errors.New("policy does not compile")
	// ErrData: a data document is malformed or contradicts another one.
	ErrData = errors.New("unusable policy data")
)

// Error is a mistake in a policy and where it is. Find it with errors.As, its kind with
// errors.Is. Where a policy has several mistakes, they are joined.
type Error struct {
	// Kind is one of the Err… variables.
	Kind error
	// Source is the file or module, empty where the policy as a whole is meant.
	Source string
	// Row counts from 1; zero if the line is not known.
	Row int
	// Message says what was got and what was wanted. It quotes the policy.
	Message string

	cause error
}

// Error returns kind and message, and ends with file:line as far as they are known.
func (e *Error) Error() string {
	text := e.Kind.Error()
	if e.Message != "" {
		text += ": " + e.Message
	}
	switch {
	case e.Source != "" && e.Row > 0:
		return fmt.Sprintf("%s: %s:%d", text, e.Source, e.Row)
	case e.Source != "":
		return text + ": " + e.Source
	default:
		return text
	}
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.cause}
}

// mistake returns an *Error at loc, which may be nil.
func mistake(kind error, loc *ast.Location, format string, args ...any) *Error {
	e := &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
	if loc != nil {
		e.Source, e.Row = loc.File, loc.Row
	}
	return e
}

// sourceError returns an *Error about a whole file with its cause.
func sourceError(kind error, source string, cause error) *Error {
	return &Error{Kind: kind, Source: source, Message: cause.Error(), cause: cause}
}

// regoErrors turns what the parser or the compiler of OPA found into *Errors.
func regoErrors(source string, err error) error {
	var list ast.Errors
	var single *ast.Error
	switch {
	case errors.As(err, &list):
	case errors.As(err, &single):
		list = ast.Errors{single}
	default:
		return sourceError(ErrCompile, source, err)
	}
	joined := make([]error, 0, len(list))
	for _, e := range list {
		m := mistake(ErrCompile, e.Location, "%s", regoMessage(e))
		m.cause = e
		if m.Source == "" {
			m.Source = source
		}
		joined = append(joined, m)
	}
	return errors.Join(joined...)
}

// regoMessage is the message with its details on one line, but without the source text and
// the arrow below it.
func regoMessage(e *ast.Error) string {
	parts := []string{e.Message}
	if e.Details != nil && e.Code == ast.TypeErr {
		for _, line := range e.Details.Lines() {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "have") || strings.HasPrefix(line, "want") {
				parts = append(parts, line)
			}
		}
	}
	return strings.Join(parts, ", ")
}
