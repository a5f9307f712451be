// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/chartsign/chartsign"
)

// pattern is one entry of a rule's match list: oci://HOST/PATH or file:PATH, with '*' for
// one path component or a part of it and '**' for any number of components.
type pattern struct {
	text     string // as written
	file     bool
	segments []string
}

const schemeFile = "file:"

func parsePattern(text, folder string) (pattern, error) {
	p := pattern{text: text}
	rest, isOCI := strings.CutPrefix(text, chartsign.SchemeOCI)
	switch {
	case isOCI:
		host, _, _ := strings.Cut(rest, "/")
		if host == "" || chartsign.CanonicalRegistry(host) != host {
			return p, fmt.Errorf("%w: match %.200q: got the host %.100q, want its canonical form %.100q", ErrTrustPolicy, text, host, chartsign.CanonicalRegistry(host))
		}
		if _, path, _ := strings.Cut(rest, "/"); strings.ContainsAny(path, ":@") {
			return p, fmt.Errorf("%w: match %.200q: want a repository without tag and digest", ErrTrustPolicy, text)
		}
	case strings.HasPrefix(text, schemeFile):
		p.file, rest = true, strings.TrimPrefix(text, schemeFile)
		if rest == "" {
			return p, fmt.Errorf("%w: match %.200q: want a path behind the scheme", ErrTrustPolicy, text)
		}
		if rest != "**" && !filepath.IsAbs(rest) {
			rest = filepath.Join(folder, rest)
		}
	default:
		return p, fmt.Errorf("%w: match %.200q: want oci://HOST/PATH or file:PATH", ErrTrustPolicy, text)
	}
	err := p.split(rest)
	return p, err
}

func (p *pattern) split(rest string) error {
	if strings.ContainsAny(rest, "{}[]\\?") || !doublestar.ValidatePattern(rest) {
		return fmt.Errorf("%w: match %.200q: want no other wild cards than * and **", ErrTrustPolicy, p.text)
	}
	p.segments = strings.Split(filepath.ToSlash(rest), "/")
	for i, segment := range p.segments {
		if segment == "" && i > 0 || segment == "." || segment == ".." || segment != "**" && strings.Contains(segment, "**") {
			return fmt.Errorf("%w: match %.200q: the component %q can never match", ErrTrustPolicy, p.text, segment)
		}
	}
	return nil
}

// matches reports whether the pattern is about ref. Local files match file: patterns only.
func (p pattern) matches(ref chartsign.Reference) bool {
	name := strings.TrimPrefix(ref.Name(), chartsign.SchemeOCI)
	if ref.IsOCI() == p.file {
		return false
	}
	if p.file {
		absolute, err := filepath.Abs(ref.File)
		if err != nil {
			return false
		}
		name = filepath.ToSlash(absolute)
	}
	ok, err := doublestar.Match(strings.Join(p.segments, "/"), name)
	return err == nil && ok
}

// covers reports whether every reference that q matches is matched by p too, so that a
// later rule with q never comes to its turn. It answers no where it cannot tell.
func (p pattern) covers(q pattern) bool { return p.file == q.file && coversAll(p.segments, q.segments) }

func coversAll(p, q []string) bool {
	switch {
	case len(p) == 0:
		return len(q) == 0
	case p[0] == "**":
		for i := 0; i <= len(q); i++ {
			if coversAll(p[1:], q[i:]) {
				return true
			}
		}
		return false
	case len(q) == 0 || q[0] == "**":
		return false
	default:
		return coversOne(p[0], q[0]) && coversAll(p[1:], q[1:])
	}
}

func coversOne(p, q string) bool {
	if p == q || p == "*" {
		return true
	}
	if strings.Contains(q, "*") {
		return false
	}
	ok, err := doublestar.Match(p, q)
	return err == nil && ok
}
