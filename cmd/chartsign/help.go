// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// helpText is a command's help: what it does, examples, and flags by group, a line each.
func helpText(command *cli.Command) string {
	var out strings.Builder
	synopsis := strings.TrimSpace("chartsign " + command.Name + " [flags] " + command.ArgsUsage)
	fmt.Fprintf(&out, "chartsign %s: %s\n\n  %s\n\n%s\n", command.Name, command.Usage, synopsis, command.Description)
	width := 0
	for _, flag := range command.Flags {
		width = max(width, len(flagColumn(flag)))
	}
	for _, category := range categories(command) {
		fmt.Fprintf(&out, "\n%s:\n", capitalize(strings.ToLower(category)))
		for _, flag := range command.Flags {
			if documented, ok := flag.(cli.DocGenerationFlag); ok && categoryOf(flag) == category {
				fmt.Fprintf(&out, "  %-*s  %s\n", width, flagColumn(flag), usage(documented))
			}
		}
	}
	if len(command.Flags) > 1 {
		out.WriteString("\nThe environment can set a flag, too: --ca-file is CHARTSIGN_CA_FILE. It cannot set --insecure-….\n")
	}
	return out.String()
}

func flagColumn(flag cli.Flag) string {
	documented, ok := flag.(cli.DocGenerationFlag)
	if !ok {
		return flagNames(flag)
	}
	return flagNames(flag) + placeholder(documented)
}

func flagNames(flag cli.Flag) string {
	var names []string
	for _, name := range flag.Names() {
		if len(name) == 1 {
			names = append(names, "-"+name)
			continue
		}
		names = append(names, "--"+name)
	}
	return strings.Join(names, ", ")
}

// placeholder is the word that a flag's usage has in backquotes.
func placeholder(flag cli.DocGenerationFlag) string {
	if !flag.TakesValue() {
		return ""
	}
	if _, after, found := strings.Cut(flag.GetUsage(), "`"); found {
		value, _, _ := strings.Cut(after, "`")
		return " " + value
	}
	return " VALUE"
}

func usage(flag cli.DocGenerationFlag) string {
	text := strings.ReplaceAll(flag.GetUsage(), "`", "")
	if value := strings.Trim(flag.GetValue(), `"`); flag.TakesValue() && value != "" && value != "[]" {
		text += " (default " + value + ")"
	}
	return text
}

func categories(command *cli.Command) []string {
	var list []string
	for _, flag := range command.Flags {
		if category := categoryOf(flag); category != "" && !slices.Contains(list, category) {
			list = append(list, category)
		}
	}
	return list
}

func categoryOf(flag cli.Flag) string {
	if categorized, ok := flag.(cli.CategorizableFlag); ok {
		return categorized.GetCategory()
	}
	return ""
}

func capitalize(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
