// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// permute moves the flags of a command line before its arguments, so that 'verify CHART
// --keyring F' works like 'verify --keyring F CHART': the flag parser stops at the first
// argument and would take flags behind it for charts. After '--' nothing is moved.
func permute(app *cli.App, args []string) []string {
	if len(args) < 2 {
		return args
	}
	command := app.Command(args[1])
	if command == nil || slices.Contains(args, "--generate-bash-completion") {
		return args
	}
	var flags, rest []string
	for i := 2; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			rest = append(rest, args[i+1:]...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			rest = append(rest, arg)
			continue
		}
		flags = append(flags, arg)
		if !takesValue(command, arg) {
			continue
		}
		if i++; i == len(args) {
			return slices.Concat(args[:2], flags) // for the parser to refuse, not to take '--' for the value
		}
		flags = append(flags, args[i])
	}
	return slices.Concat(args[:2], flags, []string{"--"}, rest)
}

// takesValue reports whether the flag's value is the next word.
func takesValue(command *cli.Command, arg string) bool {
	name := strings.TrimLeft(arg, "-")
	if strings.Contains(name, "=") {
		return false
	}
	for _, flag := range command.Flags {
		if slices.Contains(flag.Names(), name) {
			_, isBool := flag.(*cli.BoolFlag)
			return !isBool
		}
	}
	return false
}
