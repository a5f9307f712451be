// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/oci"
	"github.com/chartsign/chartsign/verify"
)

func attachCommand(world *console) *cli.Command {
	return &cli.Command{
		Name:      "attach",
		Usage:     "attach existing .prov files or Sigstore bundles to a chart in a registry",
		ArgsUsage: "oci://REF FILE …",
		Description: `Attaches evidence as referrers; the chart keeps its digest. A file that is not about this
chart is refused before anything is written. Signatures are not checked here: verify does.

Example:
  chartsign attach oci://registry.example/charts/web:1.2.3 web-1.2.3.tgz.prov`,
		Flags:  slices.Concat(registryFlags(), commonFlags()),
		Action: func(c *cli.Context) error { return runAttach(c, world) },
	}
}

func runAttach(c *cli.Context, world *console) error {
	if c.NArg() < 2 {
		return usagef("attach takes a reference and at least one file: got %d argument(s)", c.NArg()).hint("chartsign attach oci://REF FILE …")
	}
	ref, err := parseRemote(c.Args().First())
	if err != nil {
		return err
	}
	var list []chartsign.Evidence
	for _, path := range c.Args().Tail() {
		evidence, err := readEvidence(path)
		if err != nil {
			return err
		}
		list = append(list, evidence)
	}
	ctx, cancel := bounded(c)
	defer cancel()
	remote, subject, err := resolveRemote(ctx, c, world, ref)
	if err != nil {
		return err
	}
	for i, evidence := range list {
		if reason := verify.Matches(subject, evidence); reason != nil {
			return fmt.Errorf("%s: %w", c.Args().Tail()[i], reason)
		}
	}
	return attachAll(ctx, c, world, remote, subject, list)
}

// readEvidence tells by the content what a file is.
func readEvidence(path string) (chartsign.Evidence, error) {
	data, err := limits.ReadFile(path, limits.Bundle)
	if err != nil {
		return chartsign.Evidence{}, usageError(err)
	}
	kind := chartsign.KindProvenance
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		kind = chartsign.KindBundle
	}
	return chartsign.NewEvidence(kind, chartsign.SourceFile, path, data), nil
}

// attachAll attaches the evidence and says where it went.
func attachAll(ctx context.Context, c *cli.Context, world *console, remote *oci.Chart, subject chartsign.Subject, list []chartsign.Evidence) error {
	for _, evidence := range list {
		request := oci.AttachRequest{Data: evidence.Bytes(), MediaType: chartsign.MediaTypeProvenance}
		if evidence.Kind() == chartsign.KindBundle {
			annotations, reason := verify.BundleAnnotations(evidence)
			if reason != nil {
				return reason
			}
			request.MediaType, request.Annotations = chartsign.MediaTypeBundle, annotations
		}
		attached, err := remote.Attach(ctx, request)
		if err != nil {
			return fmt.Errorf("attach the %s to %s: %w", evidence.Kind(), subject.Resolved(), err)
		}
		if c.Bool("quiet") {
			continue
		}
		word := "attached"
		if attached.Existed {
			word = "was attached already:"
		}
		fmt.Fprintf(world.stdout, "%s %s %s (%s)\n", word, evidence.Kind(), attached.Digest, attached.Via)
	}
	return nil
}
