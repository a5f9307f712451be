// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/chartsign/chartsign/internal/limits"
	reports "github.com/chartsign/chartsign/report"
)

func outputFlag() cli.Flag {
	return &cli.StringSliceFlag{
		Name: "output", Aliases: []string{"o"}, Category: groupOutput, EnvVars: env("output"),
		Usage: "report as `FORMAT[=PATH]`: text, json or yaml (repeatable; default text)",
	}
}

// output is one place that a report goes to; an empty path is stdout.
type output struct{ format, path string }

func parseOutputs(c *cli.Context) ([]output, error) {
	var list []output
	wanted := values(c, "output")
	if len(wanted) == 0 {
		wanted = []string{"text"}
	}
	toStdout := 0
	for _, value := range wanted {
		format, path, _ := strings.Cut(value, "=")
		switch format {
		case "text", "json", "yaml":
		default:
			return nil, usagef("--output: got %q, want text, json or yaml, and perhaps =PATH", value)
		}
		if path == "" {
			toStdout++
		}
		list = append(list, output{format, path})
	}
	if toStdout > 1 {
		return nil, usagef("--output: two reports cannot both go to standard output").hint("-o text -o json=report.json")
	}
	return list, nil
}

// writeReport writes the report in every form that was asked for.
func writeReport(c *cli.Context, world *console, outputs []output, document *reports.Report) error {
	document.Insecure = insecureFlags(c)
	for _, out := range outputs {
		if out.path == "" {
			if c.Bool("quiet") && out.format == "text" {
				continue
			}
			if err := render(world.stdout, out.format, document, style(world)); err != nil {
				return err
			}
			continue
		}
		var content bytes.Buffer
		if err := render(&content, out.format, document, reports.Style{}); err != nil {
			return err
		}
		if err := limits.WriteFile(out.path, content.Bytes(), limits.WriteOptions{Replace: true}); err != nil {
			return usageError(err)
		}
	}
	return nil
}

func render(w io.Writer, format string, document *reports.Report, style reports.Style) error {
	switch format {
	case "json":
		return document.WriteJSON(w)
	case "yaml":
		return document.WriteYAML(w)
	default:
		return document.WriteText(w, style)
	}
}

// style permits colour on a terminal, unless NO_COLOR (https://no-color.org) or a dumb
// terminal says otherwise.
func style(world *console) reports.Style {
	return reports.Style{Color: world.stdoutIsTerminal && world.getenv("NO_COLOR") == "" && world.getenv("TERM") != "dumb"}
}

// insecureFlags names the relaxations that were asked for: a report must not hide them.
func insecureFlags(c *cli.Context) []string {
	var names []string
	for _, flag := range c.Command.Flags {
		if name := flag.Names()[0]; strings.HasPrefix(name, "insecure-") && c.Bool(name) {
			names = append(names, name)
		}
	}
	return names
}
