// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/oci"
)

func pullCommand(world *console) *cli.Command {
	return &cli.Command{
		Name:      "pull",
		Usage:     "verify a chart, then fetch exactly what was judged",
		ArgsUsage: "oci://REF",
		Description: `Judges the chart as verify does and, only if it is allowed, downloads exactly the digest that
was judged. What arrives is hashed and read while it streams; a file appears only when all of it
is as judged, and nothing stays on failure. A rule's mode: warn does not soften a pull.

Example:
  chartsign pull oci://registry.example/charts/web:1.2.3 --trust trust.yaml --destination charts/`,
		Flags: slices.Concat(trustFlags(), registryFlags(), commonFlags(), []cli.Flag{
			&cli.StringFlag{Name: "destination", Aliases: []string{"d"}, Usage: "write to `FOLDER`", Value: ".", Category: groupOutput, TakesFile: true, EnvVars: env("destination")},
			toggle(groupOutput, "prov", "write the .prov layer too"),
			toggle(groupOutput, "force", "replace existing files"),
			outputFlag(),
		}),
		Action: func(c *cli.Context) error { return runPull(c, world) },
	}
}

func runPull(c *cli.Context, world *console) error {
	if err := exactly(c, 1); err != nil {
		return err
	}
	ctx, cancel := bounded(c)
	defer cancel()
	outputs, err := parseOutputs(c)
	if err != nil {
		return err
	}
	ref, err := parseRemote(c.Args().First())
	if err != nil {
		return err
	}
	request, err := newRequest(c, world, "pull")
	if err != nil {
		return err
	}
	client, err := newClient(c, world, ref)
	if err != nil {
		return err
	}
	trust, err := compileTrust(ctx, c)
	if err != nil {
		return err
	}
	remote := client.Chart(ref).Prefetch()
	request.Reference, request.Source, request.Strict = ref, remote, true
	judgement := trust.Judge(ctx, request)
	judgements := []gate.Judgement{judgement}
	if err := publish(c, world, outputs, judgements); err != nil {
		return err
	}
	if judgement.Verdict != gate.Allowed {
		return failureOf(judgements, c.Bool("quiet"))
	}
	return fetch(c, world, remote, ref.Name())
}

// fetch downloads what was judged.
func fetch(c *cli.Context, world *console, remote *oci.Chart, name string) error {
	ctx, cancel := bounded(c)
	defer cancel()
	progress := newProgress(c, world, name)
	paths, err := remote.Pull(ctx, c.String("destination"), oci.PullOptions{Prov: c.Bool("prov"), Replace: c.Bool("force"), Progress: progress.update})
	progress.end()
	if err != nil {
		return err
	}
	for _, path := range paths {
		if !c.Bool("quiet") {
			fmt.Fprintf(world.stderr, "wrote %s\n", path)
		}
	}
	return nil
}
