// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign

import "strings"

// The grammar of names in the OCI distribution specification v1.1, 'Pulling manifests'. It
// is spelled out because expressions for it take longer to compile than a judgement takes;
// the tests hold it to the expressions of the specification.

const (
	maxTag        = 128
	maxPortDigits = 5
)

// isTag: [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}
func isTag(s string) bool {
	return len(s) <= maxTag && consistsOf(s, func(b byte) bool { return isWord(b) || b == '.' || b == '-' }) && isWord(s[0])
}

// isRepository: COMPONENT(/COMPONENT)*
func isRepository(s string) bool {
	for component := range strings.SplitSeq(s, "/") {
		if !isComponent(component) {
			return false
		}
	}
	return true
}

// isComponent: [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
func isComponent(s string) bool {
	for {
		letters := leading(s, isLowerOrDigit)
		if letters == 0 {
			return false
		}
		if s = s[letters:]; s == "" {
			return true
		}
		separators := leading(s, func(b byte) bool { return b == '.' || b == '_' || b == '-' })
		switch between := s[:separators]; {
		case between == ".", between == "_", between == "__", between != "" && strings.Trim(between, "-") == "":
		default:
			return false
		}
		s = s[separators:]
	}
}

// isHost: a name or IPv4 address of letters, digits, '.' and '-' that begins and ends with a
// letter or digit, or an IPv6 address in brackets, and perhaps a port.
func isHost(s string) bool {
	name := s
	if at := strings.LastIndexByte(s, ':'); at >= 0 && !strings.HasSuffix(s, "]") {
		port := s[at+1:]
		if len(port) > maxPortDigits || !consistsOf(port, isDigit) || port[0] == '0' {
			return false
		}
		name = s[:at]
	}
	if address, bracketed := strings.CutPrefix(name, "["); bracketed {
		address, closed := strings.CutSuffix(address, "]")
		return closed && consistsOf(address, func(b byte) bool { return isHex(b) || b == ':' || b == '.' })
	}
	return consistsOf(name, func(b byte) bool { return isLetterOrDigit(b) || b == '.' || b == '-' }) &&
		isLetterOrDigit(name[0]) && isLetterOrDigit(name[len(name)-1])
}

// consistsOf reports whether s is not empty and all of its bytes are of the class.
func consistsOf(s string, class func(byte) bool) bool { return s != "" && leading(s, class) == len(s) }

// leading returns how many bytes at the start of s are of the class.
func leading(s string, class func(byte) bool) int {
	for i := range len(s) {
		if !class(s[i]) {
			return i
		}
	}
	return len(s)
}

func isDigit(b byte) bool         { return '0' <= b && b <= '9' }
func isLowerOrDigit(b byte) bool  { return 'a' <= b && b <= 'z' || isDigit(b) }
func isLetterOrDigit(b byte) bool { return isLowerOrDigit(b) || 'A' <= b && b <= 'Z' }
func isWord(b byte) bool          { return isLetterOrDigit(b) || b == '_' }
func isHex(b byte) bool           { return isDigit(b) || 'a' <= b && b <= 'f' || 'A' <= b && b <= 'F' }

// isAliasLetter is Helm's class for the alias of a dependency.
func isAliasLetter(b byte) bool { return isWord(b) || b == '-' }
