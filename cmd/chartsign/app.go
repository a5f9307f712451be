// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// run executes the command line and returns the exit code. A panic is an internal error,
// never the runtime's exit status 2, which would read as 'denied by policy'.
func run(ctx context.Context, args []string, world *console) (code int) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(world.stderr, "chartsign: internal error: %v\n%s", cause, debug.Stack())
			code = exitUsage
		}
	}()
	app := newApp(world) //nolint:contextcheck // commands get the context through cli.Context
	if slices.ContainsFunc(args, func(arg string) bool { return slices.Contains([]string{"--help", "-h", "help", "h"}, arg) }) {
		explain(app)
	}
	err := app.RunContext(ctx, permute(app, args))
	return report(world, err)
}

func newApp(world *console) *cli.App {
	app := &cli.App{
		Name:                      "chartsign",
		Usage:                     "sign, verify and gate Helm charts",
		Version:                   version,
		HideVersion:               true,
		EnableBashCompletion:      true,
		DisableSliceFlagSeparator: true,
		Suggest:                   true,
		Writer:                    world.stdout,
		ErrWriter:                 world.stderr,
		Reader:                    world.stdin,
		ExitErrHandler:            func(*cli.Context, error) {}, // exit codes are mapped by report
		OnUsageError:              func(_ *cli.Context, err error, _ bool) error { return usageError(err) },
		CommandNotFound:           nil,
		Action:                    noCommand,
		Commands: []*cli.Command{
			signCommand(world), verifyCommand(world), pushCommand(world), pullCommand(world),
			treeCommand(world), attachCommand(world), versionCommand(world), completionCommand(world),
		},
	}
	for _, command := range app.Commands {
		command.OnUsageError = app.OnUsageError
		command.Before = applyConfig(world)
	}
	return app
}

// explain gives the commands their help texts, which most runs do not need.
func explain(app *cli.App) {
	for _, command := range app.Commands {
		command.CustomHelpTemplate = strings.ReplaceAll(helpText(command), "{{", `{{"{{"}}`)
	}
}

func noCommand(c *cli.Context) error {
	if name := c.Args().First(); name != "" {
		return usageError(fmt.Errorf("unknown command %q", name)).hint("chartsign help lists the commands")
	}
	return cli.ShowAppHelp(c)
}
