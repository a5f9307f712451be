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
	args = permute(app, args)
	if slices.ContainsFunc(args, func(arg string) bool { return slices.Contains([]string{"--help", "-h", "help", "h"}, arg) }) {
		explain(app)
	} else {
		narrow(app, args)
	}
	err := app.RunContext(ctx, args)
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

// narrow leaves only the command that is called: preparing the others costs every start.
func narrow(app *cli.App, args []string) {
	if len(args) < 2 {
		return
	}
	if command := app.Command(args[1]); command != nil && command.Name != "completion" {
		app.Metadata = map[string]any{allCommands: app.Commands}
		app.Commands = []*cli.Command{command}
	}
}

// allCommands is where narrow keeps the commands that it leaves out.
const allCommands = "commands"

// commandsOf returns all commands, left out or not.
func commandsOf(app *cli.App) []*cli.Command {
	if all, ok := app.Metadata[allCommands].([]*cli.Command); ok {
		return all
	}
	return app.Commands
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
