// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate

import "github.com/chartsign/chartsign"

// TestPattern gives tests the two questions that a pattern answers.
type TestPattern struct{ p pattern }

// ParsePattern parses a pattern of a trust policy that lies in folder.
func ParsePattern(text, base string) (TestPattern, error) {
	p, err := parsePattern(text, folder{real: base, named: base})
	return TestPattern{p}, err
}

func (t TestPattern) Matches(ref chartsign.Reference) bool { return t.p.matches(ref) }
func (t TestPattern) Covers(other TestPattern) bool        { return t.p.covers(other.p) }
