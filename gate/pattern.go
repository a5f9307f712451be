// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chartsign/chartsign"
)

// pattern is one entry of a rule's match list: oci://HOST/PATH or file:PATH, with '*' for
// one path component or a part of it and '**' for any number of components.
type pattern struct {
	text     string // as written
	file     bool
	segments []string
	// alias is the same pattern by the other name of the trust policy's folder, where a
	// symbolic link leads to it.
	alias []string
}

const (
	schemeFile   = "file:"
	anyDepth     = "**"
	anyComponent = "*"
)

// folder is where a trust policy lies: its real path, and the path by which it was named.
type folder struct{ real, named string }

func parsePattern(text string, base folder) (pattern, error) {
	p := pattern{text: text}
	var err error
	if rest, isOCI := strings.CutPrefix(text, chartsign.SchemeOCI); isOCI {
		err = p.parseOCI(rest)
	} else if rest, isFile := strings.CutPrefix(text, schemeFile); isFile {
		err = p.parseFile(rest, base)
	} else {
		err = p.refuse("want oci://HOST/PATH or file:PATH")
	}
	return p, err
}

func (p *pattern) refuse(format string, args ...any) error {
	return fmt.Errorf("%w: match %.200q: %s", ErrTrustPolicy, p.text, fmt.Sprintf(format, args...))
}

func (p *pattern) parseOCI(rest string) error {
	host, path, _ := strings.Cut(rest, "/")
	if canonical := chartsign.CanonicalRegistry(host); canonical != host {
		return p.refuse("got the host %.100q, want its canonical form %.100q", host, canonical)
	}
	if !validHost(host) {
		return p.refuse("got the host %.100q, want a host with its port, *.DOMAIN, or * for any", host)
	}
	if strings.ContainsAny(path, ":@") {
		return p.refuse("want a repository without tag and digest")
	}
	p.segments = strings.Split(rest, "/")
	if err := p.checkSegments(p.segments[1:]); err != nil {
		return err
	}
	for _, segment := range p.segments[1:] {
		// Where no wild card is, or wherever it stands for a letter, the grammar decides.
		if segment != anyDepth && !validRepository(strings.ReplaceAll(segment, "*", "x")) {
			return p.refuse("no repository has the component %.100q: it can never match", segment)
		}
	}
	if len(p.segments) == 1 && host != anyDepth {
		return p.refuse("no repository is named: it can never match")
	}
	return nil
}

// validHost refuses wild cards that would let another domain in: registry.example* is
// registry.example.evil.test too.
func validHost(host string) bool {
	if host == anyComponent || host == anyDepth {
		return true
	}
	if domain, ok := strings.CutPrefix(host, "*."); ok {
		host = domain
	}
	ref, err := chartsign.ParseReference(chartsign.SchemeOCI + host + "/x")
	return err == nil && ref.Registry == host
}

func validRepository(path string) bool {
	ref, err := chartsign.ParseReference(chartsign.SchemeOCI + "host/" + path)
	return err == nil && ref.Repository == path
}

func (p *pattern) parseFile(rest string, base folder) error {
	p.file, p.segments = true, strings.Split(filepath.ToSlash(rest), "/")
	written := p.segments
	if filepath.IsAbs(rest) {
		written = written[1:]
	}
	if err := p.checkSegments(written); err != nil {
		return err
	}
	if filepath.IsAbs(rest) || rest == anyDepth {
		return nil
	}
	if strings.Contains(base.real+base.named, "*") {
		return p.refuse("got a relative path below a folder whose name has a '*': want an absolute path")
	}
	relative := p.segments
	p.segments = slices.Concat(components(base.real), relative)
	if base.named != base.real {
		p.alias = slices.Concat(components(base.named), relative)
	}
	return nil
}

func components(path string) []string {
	return strings.Split(strings.TrimSuffix(filepath.ToSlash(path), "/"), "/")
}

func (p *pattern) checkSegments(segments []string) error {
	for _, segment := range segments {
		switch {
		case strings.ContainsAny(segment, `{}[]\?`) || segment != anyDepth && strings.Contains(segment, anyDepth):
			return p.refuse("got the component %.100q, want no other wild cards than * and **", segment)
		case segment == "" || segment == "." || segment == "..":
			return p.refuse("got the component %q, want a path without '.', '..' and empty components", segment)
		}
	}
	return nil
}

// matches reports whether the pattern is about ref. Local files match file: patterns only,
// by the path that they are named by: where a link leads to makes no difference.
func (p pattern) matches(ref chartsign.Reference) bool {
	if ref.IsOCI() == p.file {
		return false
	}
	if !p.file {
		return matchPath(p.segments, strings.Split(strings.TrimPrefix(ref.Name(), chartsign.SchemeOCI), "/"), matchComponent)
	}
	absolute, err := filepath.Abs(ref.File)
	if err != nil || ref.File == "" {
		return false
	}
	path := components(absolute)
	return matchPath(p.segments, path, matchComponent) || p.alias != nil && matchPath(p.alias, path, matchComponent)
}

// covers reports whether every reference that q matches is matched by p too, so that a
// later rule with q never comes to its turn. It answers no where it cannot tell.
func (p pattern) covers(q pattern) bool {
	return p.file == q.file && matchPath(p.segments, q.segments, coversComponent)
}

// matchPath matches a list of components against a pattern's. It fills a table from the
// ends, so that many '**' take no more than the product of both lengths.
func matchPath(pattern, path []string, one func(pattern, component string) bool) bool {
	next := make([]bool, len(path)+1) // next[j]: whether the components behind match path[j:]
	next[len(path)] = true
	for _, component := range slices.Backward(pattern) {
		row := make([]bool, len(path)+1)
		for j := len(path); j >= 0; j-- {
			if component == anyDepth {
				row[j] = next[j] || j < len(path) && row[j+1]
			} else {
				row[j] = j < len(path) && next[j+1] && one(component, path[j])
			}
		}
		next = row
	}
	return next[0]
}

// matchComponent matches one component, in which '*' stands for any text.
func matchComponent(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	rest, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

func coversComponent(p, q string) bool {
	switch {
	case q == anyDepth:
		return false // p is one component, q may be several
	case p == q || p == anyComponent:
		return true
	default:
		return !strings.Contains(q, "*") && matchComponent(p, q)
	}
}
