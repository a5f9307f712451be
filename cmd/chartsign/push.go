// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/oci"
	"github.com/chartsign/chartsign/verify"
)

func pushCommand(world *console) *cli.Command {
	return &cli.Command{
		Name:      "push",
		Usage:     "push a chart like helm push, with its .prov layer and bundles",
		ArgsUsage: "CHART.tgz oci://REPO",
		Description: `Pushes the chart to oci://REPO/NAME:VERSION as Helm does. A .prov file beside the chart becomes
a layer, a Sigstore bundle beside it is attached as a referrer; both must be about this chart.
With --pgp-key, --keyless or --key the pushed chart is signed anew, as 'sign oci://…' does. A tag
that names other content is replaced only with --force.

Examples:
  chartsign push web-1.2.3.tgz oci://registry.example/charts
  chartsign push web-1.2.3.tgz oci://registry.example/charts --keyless --identity-token @token \
    --signing-config signing_config.json --trusted-root trusted_root.json`,
		Flags: slices.Concat(signingFlags(), registryFlags(), commonFlags(), []cli.Flag{
			file(groupSigning, "prov", "the chart's .prov file is `FILE` (default: beside the chart)"),
			list(groupSigning, "bundle", "the chart's Sigstore bundle is `FILE` (default: beside the chart; repeatable)"),
			toggle(groupRegistry, "force", "replace a tag that names other content"),
		}),
		Action: func(c *cli.Context) error { return runPush(c, world) },
	}
}

func runPush(c *cli.Context, world *console) error {
	if err := exactly(c, 2); err != nil {
		return err
	}
	ref, err := parseRemote(c.Args().Get(1))
	if err != nil {
		return err
	}
	ctx, cancel := bounded(c)
	defer cancel()
	source := &gate.File{Path: c.Args().First(), Provenance: c.String("prov"), Bundles: values(c, "bundle")}
	subject, err := source.Resolve(ctx)
	if err != nil {
		return localError(err)
	}
	evidence, err := matchingEvidence(ctx, source, subject)
	if err != nil {
		return err
	}
	var signers signers
	if signing(c) { // before the push: what could not be signed is not pushed
		if signers, err = newSigners(c, world); err != nil {
			return err
		}
	}
	pushed, err := pushChart(ctx, c, world, ref, source.Path, subject.Chart, evidence)
	if err != nil {
		return err
	}
	if signing(c) {
		return signRemote(ctx, c, world, pushed, signers)
	}
	return nil
}

// localError marks a missing local file as a mistake of the caller.
func localError(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return usageError(err).hint("a chart is a packaged .tgz: helm package makes one")
	}
	return err
}

// matchingEvidence reads what stands beside the chart and refuses what is not about it.
func matchingEvidence(ctx context.Context, source *gate.File, subject chartsign.Subject) ([]chartsign.Evidence, error) {
	listing, err := source.Evidence(ctx)
	if err != nil {
		return nil, err
	}
	for _, evidence := range listing.Evidence {
		if problem := evidence.Problem(); problem != nil {
			return nil, usageError(problem)
		}
		if reason := verify.Matches(subject, evidence); reason != nil {
			return nil, fmt.Errorf("%s: %w", evidence.Location(), reason)
		}
	}
	return listing.Evidence, nil
}

func pushChart(ctx context.Context, c *cli.Context, world *console, ref chartsign.Reference, path string, chart *chartsign.Chart, evidence []chartsign.Evidence) (chartsign.Reference, error) {
	client, err := newClient(c, world, ref)
	if err != nil {
		return ref, err
	}
	archive, err := os.Open(path)
	if err != nil {
		return ref, usageError(err)
	}
	defer func() { _ = archive.Close() }()
	info, err := archive.Stat()
	if err != nil {
		return ref, usageError(err)
	}
	request := oci.PushRequest{Archive: archive, Chart: chart, Created: info.ModTime(), Force: c.Bool("force")}
	var bundles []chartsign.Evidence
	for _, one := range evidence {
		if one.Kind() == chartsign.KindProvenance {
			request.Prov = one.Bytes()
		} else {
			bundles = append(bundles, one)
		}
	}
	pushed, err := client.Push(ctx, ref, request)
	if errors.Is(err, oci.ErrTagExists) {
		return ref, usageError(err).hint("--force replaces it; better, release another version")
	}
	if err != nil {
		return ref, err
	}
	sayPushed(c, world, pushed, request.Prov != nil)
	remote := client.Chart(pushed.Reference)
	subject, err := remote.Resolve(ctx)
	if err != nil {
		return ref, err
	}
	if subject.Manifest != pushed.Manifest {
		return ref, chartsign.Reasonf(chartsign.ReasonContentMismatch, "the tag names %s already: %s was pushed", subject.Manifest, pushed.Manifest)
	}
	pinned := pushed.Reference
	pinned.Digest = pushed.Manifest
	return pinned, attachAll(ctx, c, world, remote, subject, bundles)
}

func sayPushed(c *cli.Context, world *console, pushed oci.Pushed, prov bool) {
	if c.Bool("quiet") {
		return
	}
	word := "pushed"
	if pushed.Existed {
		word = "was there already:"
	}
	fmt.Fprintf(world.stdout, "%s %s:%s\n  manifest  %s\n", word, pushed.Reference.Name(), pushed.Reference.Tag, pushed.Manifest)
	if prov {
		fmt.Fprintln(world.stdout, "  .prov     as a layer of the chart")
	}
}
