// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Clean makes text that came from elsewhere safe to print: no control characters, no
// escapes, no bidirectional overrides, one line.
func Clean(text string) string { return clean(text) }

func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsPrint(r):
			return r
		default:
			return utf8.RuneError
		}
	}, text)
}

// cleanJSON replaces what a terminal or an editor acts on and encoding/json leaves as it
// is: DEL, the control characters of Latin-1, bidirectional overrides, invisible letters.
func cleanJSON(data []byte, replace func(rune) string) []byte {
	var out bytes.Buffer
	for _, r := range string(data) {
		if r == '\n' || unicode.IsPrint(r) {
			out.WriteRune(r)
		} else {
			out.WriteString(replace(r)) // within a string: elsewhere JSON has no such character
		}
	}
	return out.Bytes()
}

// escape writes r as JSON does: the text that a program reads stays the same.
func escape(r rune) string {
	if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
		return fmt.Sprintf(`\u%04x\u%04x`, high, low)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

func blot(rune) string { return string(utf8.RuneError) }

// columns returns how many columns of a terminal the text takes.
func columns(text string) int {
	total := 0
	for _, r := range text {
		switch kind := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case kind == width.EastAsianWide || kind == width.EastAsianFullwidth:
			total += 2
		default:
			total++
		}
	}
	return total
}
