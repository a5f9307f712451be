// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

type column struct{ program, title string }

// columns are the verifiers, by program, in the order of the tables.
var columns = []column{
	{"chartsign", "chartsign"}, {"helm", "helm 4"}, {"helm3", "helm 3"}, {"gpg", "gpg"}, {"cosign", "cosign"},
}

const (
	accepts = "accepts"
	refuses = "refuses"
)

// table holds what each verifier says of each signer's work.
type table struct {
	title string
	mu    sync.Mutex
	cells map[string]map[string]string // row → program → verdict
}

func newTable(title string) *table {
	return &table{title: title, cells: make(map[string]map[string]string)}
}

// record notes a verdict. A story that is told twice must end the same way.
func (t *table) record(row, program, verdict string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cells[row] == nil {
		t.cells[row] = make(map[string]string)
	}
	if before := t.cells[row][program]; before != "" && before != verdict {
		return fmt.Errorf("%q by %s: got %q, and %q before", row, program, verdict, before)
	}
	t.cells[row][program] = verdict
	return nil
}

// String lays the table out, rows by name, without empty columns. An asterisk marks a row
// that a peer accepts and chartsign refuses.
func (t *table) String() string {
	head := []string{t.title}
	used := slices.DeleteFunc(slices.Clone(columns), func(c column) bool { return !t.has(c.program) })
	for _, column := range used {
		head = append(head, column.title)
	}
	lines := [][]string{head}
	starred := 0
	for _, row := range slices.Sorted(maps.Keys(t.cells)) {
		line := []string{"  " + row}
		if t.isStricter(row) {
			line[0] = "* " + row
			starred++
		}
		for _, column := range used {
			line = append(line, cmp.Or(t.cells[row][column.program], "·"))
		}
		lines = append(lines, line)
	}
	text := layOut(lines)
	if starred > 0 {
		text += fmt.Sprintf("* %d of %d: a peer accepts, chartsign refuses.\n", starred, len(t.cells))
	}
	return text
}

// has reports whether the table holds a verdict of the program.
func (t *table) has(program string) bool {
	for _, cells := range t.cells {
		if cells[program] != "" {
			return true
		}
	}
	return false
}

func (t *table) isStricter(row string) bool {
	cells := t.cells[row]
	if !strings.HasPrefix(cells["chartsign"], refuses) {
		return false
	}
	for program, verdict := range cells {
		if program != "chartsign" && verdict == accepts {
			return true
		}
	}
	return false
}

// layOut pads the columns.
func layOut(lines [][]string) string {
	var widths []int
	for _, line := range lines {
		for i, cell := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		var row strings.Builder
		for i, cell := range line {
			row.WriteString(cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	return b.String()
}
