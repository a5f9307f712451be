// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/json"
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

// escapeJSON escapes what a terminal or an editor acts on and encoding/json leaves as it is:
// DEL, the control characters of Latin-1, bidirectional overrides, invisible letters. A
// program reads the same text.
func escapeJSON(data []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(data) {
		switch high, low := utf16.EncodeRune(r); {
		case r == '\n' || unicode.IsPrint(r):
			out.WriteRune(r)
		case high != unicode.ReplacementChar:
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r) // within a string: elsewhere JSON has no such character
		}
	}
	return out.Bytes()
}

// blot replaces in all strings of a JSON value what YAML does not escape.
func blot(value any) any {
	switch value := value.(type) {
	case string:
		return strings.Map(func(r rune) rune {
			if r < utf8.RuneSelf-1 || unicode.IsPrint(r) {
				return r
			}
			return utf8.RuneError
		}, value)
	case []any:
		for i := range value {
			value[i] = blot(value[i])
		}
	case map[string]any:
		for key := range value {
			value[key] = blot(value[key])
		}
	case json.Number:
		if n, err := value.Int64(); err == nil {
			return n
		}
	}
	return value
}

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
