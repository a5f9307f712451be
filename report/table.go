// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Table lines up columns for a terminal. The last column is not padded.
type Table struct {
	rows [][]string
}

// Add appends a row. Cells may be coloured; they must not hold untrusted text that Clean
// has not seen.
func (t *Table) Add(cells ...string) { t.rows = append(t.rows, cells) }

// WriteTo writes the lines.
func (t *Table) WriteTo(w io.Writer) (int64, error) {
	var out bytes.Buffer
	t.write(&out)
	return out.WriteTo(w)
}

func (t *Table) write(out *bytes.Buffer) {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], visible(cell))
		}
	}
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-visible(cell)+2))
			}
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")

func visible(cell string) int { return columns(ansi.ReplaceAllString(cell, "")) }

// Size writes a number of bytes for people, in powers of 1024.
func Size(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/1024, 0
	for value >= 1024 && unit < 3 {
		value, unit = value/1024, unit+1
	}
	return fmt.Sprintf("%.1f %s", value, []string{"KiB", "MiB", "GiB", "TiB"}[unit])
}

func (s Style) paint(code, text string) string {
	if !s.Color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s Style) bold(text string) string   { return s.paint("1", text) }
func (s Style) dim(text string) string    { return s.paint("2", text) }
func (s Style) red(text string) string    { return s.paint("31", text) }
func (s Style) yellow(text string) string { return s.paint("33", text) }

func (s Style) verdict(word string) string {
	switch strings.ToLower(word) {
	case "allowed", "verified":
		return s.paint("32", word)
	case "inconclusive", "unsigned":
		return s.yellow(word)
	default:
		return s.red(word)
	}
}
