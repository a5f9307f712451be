// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// env returns the environment variable of a flag: CHARTSIGN_ and its name.
func env(flag string) []string {
	return []string{"CHARTSIGN_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))}
}

func text(category, name, usage string) *cli.StringFlag {
	return &cli.StringFlag{Name: name, Usage: usage, Category: category, EnvVars: env(name)}
}

func file(category, name, usage string) *cli.StringFlag {
	flag := text(category, name, usage)
	flag.TakesFile = true
	return flag
}

func list(category, name, usage string) *cli.StringSliceFlag {
	return &cli.StringSliceFlag{Name: name, Usage: usage, Category: category, EnvVars: env(name)}
}

func toggle(category, name, usage string) *cli.BoolFlag {
	return &cli.BoolFlag{Name: name, Usage: usage, Category: category, EnvVars: env(name)}
}

// insecure is a relaxation: no environment variable and no file can set it.
func insecure(category, name, usage string) *cli.BoolFlag {
	return &cli.BoolFlag{Name: name, Usage: usage, Category: category}
}

const (
	groupTrust    = "TRUST"
	groupPolicy   = "POLICY"
	groupSigning  = "SIGNING"
	groupRegistry = "REGISTRY"
	groupOutput   = "OUTPUT"
)

// localFlags are those that a chartsign.yaml in the working directory may set.
var localFlags = []string{
	"output", "quiet", "no-progress", "log-level", "plain-http", "ca-file", "cert-file", "key-file", "registry-config", "jobs", "timeout",
}

const defaultTimeout = 2 * time.Minute

func commonFlags() []cli.Flag {
	return []cli.Flag{
		toggle(groupOutput, "quiet", "print nothing but errors"),
		toggle(groupOutput, "no-progress", "show no progress"),
		&cli.DurationFlag{Name: "timeout", Usage: "give up after `DURATION`", Value: defaultTimeout, Category: groupOutput, EnvVars: env("timeout")},
	}
}

// given reports whether a flag has a value; an environment variable that is set to nothing
// gives none.
func given(c *cli.Context, name string) bool {
	return c.IsSet(name) && (c.String(name) != "" || len(values(c, name)) > 0)
}

// values returns a repeatable flag's values; an environment variable that is set to nothing
// gives none.
func values(c *cli.Context, name string) []string {
	return slices.DeleteFunc(slices.Clone(c.StringSlice(name)), func(value string) bool { return value == "" })
}

// bounded returns the command's context with its deadline.
func bounded(c *cli.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.Context, c.Duration("timeout"))
}

// exactly checks the number of arguments.
func exactly(c *cli.Context, n int) error {
	if c.NArg() != n {
		return usagef("%s takes %d argument(s): got %d", c.Command.Name, n, c.NArg()).hint("chartsign " + c.Command.Name + " " + c.Command.ArgsUsage)
	}
	return nil
}
