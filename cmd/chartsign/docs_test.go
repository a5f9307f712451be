// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"
)

// TestDocs holds docs/cli to what the command says about itself; -update writes it anew.
func TestDocs(t *testing.T) {
	t.Parallel()
	app := newApp(&console{getenv: func(string) string { return "" }})
	pages := map[string]string{"README.md": indexPage(app)}
	for _, command := range app.Commands {
		pages[command.Name+".md"] = commandPage(command)
	}
	folder := filepath.Join("..", "..", "docs", "cli")
	if *update {
		writePages(t, folder, pages)
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("docs/cli/%s is not what the command says (-want +got); 'make docs' writes it:\n%s", name, diff)
		}
	}
	onDisk, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil || len(onDisk) != len(pages) {
		t.Errorf("docs/cli: got %d pages, want %d", len(onDisk), len(pages))
	}
}

// TestEveryCommandHasAnExample holds the help texts to showing how.
func TestEveryCommandHasAnExample(t *testing.T) {
	t.Parallel()
	for _, command := range newApp(&console{}).Commands {
		if !strings.Contains(command.Description, "\n  chartsign "+command.Name) && !strings.Contains(command.Description, "chartsign "+command.Name) {
			t.Errorf("%s: the help text has no example", command.Name)
		}
	}
}

func writePages(t *testing.T, folder string, pages map[string]string) {
	t.Helper()
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func indexPage(app *cli.App) string {
	var out strings.Builder
	fmt.Fprintf(&out, "# chartsign\n\n%s. Made by `make docs` from the command itself.\n\n| command | |\n|---|---|\n", app.Usage)
	for _, command := range app.Commands {
		fmt.Fprintf(&out, "| [%s](%s.md) | %s |\n", command.Name, command.Name, command.Usage)
	}
	return out.String()
}

func commandPage(command *cli.Command) string {
	var out strings.Builder
	text, examples := command.Description, ""
	for _, marker := range []string{"Examples:\n", "Example:\n"} {
		if before, after, found := strings.Cut(text, marker); found {
			text, examples = before, after
			break
		}
	}
	fmt.Fprintf(&out, "# chartsign %s\n\n%s.\n\n    chartsign %s [flags] %s\n\n", command.Name, capitalize(command.Usage), command.Name, command.ArgsUsage)
	if text = strings.TrimSpace(text); text != "" {
		fmt.Fprintf(&out, "%s\n\n", text)
	}
	fmt.Fprintf(&out, "## Examples\n\n```sh\n%s\n```\n", strings.TrimRight(dedent(examples), "\n"))
	for _, category := range categories(command) {
		title := category
		if title == "" {
			title = "OUTPUT"
		}
		fmt.Fprintf(&out, "\n## %s\n\n| flag | | environment |\n|---|---|---|\n", capitalize(strings.ToLower(title)))
		for _, flag := range command.Flags {
			if documented, ok := flag.(cli.DocGenerationFlag); ok && categoryOf(flag) == category {
				fmt.Fprintf(&out, "| %s | %s | %s |\n", "`"+flagNames(flag)+"`"+placeholder(documented), strings.ReplaceAll(usage(documented), "|", `\|`), strings.Join(documented.GetEnvVars(), ", "))
			}
		}
	}
	return out.String()
}

func dedent(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	}
	return strings.Join(lines, "\n")
}
