// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

func signCommand(world *console) *cli.Command {
	return &cli.Command{
		Name:      "sign",
		Usage:     "produce evidence, and attach it for oci://",
		ArgsUsage: "CHART.tgz | oci://REF",
		Description: `Signs a chart with OpenPGP (--pgp-key), keyless through Sigstore (--keyless), with a key
(--key), or in several of these ways at once. For a local chart the evidence is written beside
it: CHART.tgz.prov, which Helm and gpg verify, and CHART.tgz.sigstore.json. For a chart in a
registry it is attached as a referrer: a .prov over the chart layer, a cosign signature over the
manifest. What was made is verified before anything is written or attached.

Examples:
  chartsign sign web-1.2.3.tgz --pgp-key release@example.com --keyring secret.asc
  chartsign sign oci://registry.example/charts/web:1.2.3 --keyless --identity-token @token \
    --signing-config signing_config.json --trusted-root trusted_root.json
  chartsign sign web-1.2.3.tgz --key cosign.key --trusted-root trusted_root.json \
    --signing-config signing_config.json`,
		Flags: slices.Concat(signingFlags(), registryFlags(), commonFlags(), []cli.Flag{
			file(groupSigning, "prov", "write the .prov to `FILE` (default: CHART.tgz.prov)"),
			file(groupSigning, "bundle", "write the Sigstore bundle to `FILE` (default: CHART.tgz.sigstore.json)"),
			toggle(groupSigning, "force", "replace existing outputs"),
		}),
		Action: func(c *cli.Context) error { return runSign(c, world) },
	}
}

func runSign(c *cli.Context, world *console) error {
	if err := exactly(c, 1); err != nil {
		return err
	}
	ref, err := chartsign.ParseReference(c.Args().First())
	if err != nil {
		return usageError(err)
	}
	ctx, cancel := bounded(c)
	defer cancel()
	if ref.IsOCI() {
		signers, err := newSigners(c, world)
		if err != nil {
			return err
		}
		return signRemote(ctx, c, world, ref, signers)
	}
	return signLocal(ctx, c, world, ref.File)
}

// made is one piece of evidence and the file that it goes to.
type made struct {
	evidence chartsign.Evidence
	path     string
}

func signLocal(ctx context.Context, c *cli.Context, world *console, path string) error {
	outputs, err := plannedOutputs(c, path)
	if err != nil {
		return err
	}
	signers, err := newSigners(c, world)
	if err != nil {
		return err
	}
	archive, err := limits.ReadFile(path, limits.ChartCompressed)
	if err != nil {
		return usageError(err).hint("a chart is a packaged .tgz: helm package makes one")
	}
	chart, err := readChart(archive)
	if err != nil {
		return err
	}
	var list []made
	if signers.pgp != nil {
		evidence, err := signers.pgp.Sign(chart)
		if err != nil {
			return err
		}
		list = append(list, made{evidence, outputs.prov})
	}
	if signers.sigstore != nil {
		evidence, err := signers.sigstore.SignArchive(ctx, chart, archive)
		if err != nil {
			return err
		}
		list = append(list, made{evidence, outputs.bundle})
	}
	return writeEvidence(c, world, chart, list)
}

type outputPaths struct{ prov, bundle string }

// plannedOutputs finds out before anything is signed whether the outputs may be written:
// a signature in a public log cannot be taken back.
func plannedOutputs(c *cli.Context, path string) (outputPaths, error) {
	paths := outputPaths{prov: c.String("prov"), bundle: c.String("bundle")}
	if paths.prov == "" {
		paths.prov = path + ".prov"
	}
	if paths.bundle == "" {
		paths.bundle = path + ".sigstore.json"
	}
	var planned []string
	if len(values(c, "pgp-key")) > 0 {
		planned = append(planned, paths.prov)
	}
	if c.Bool("keyless") || c.String("key") != "" {
		planned = append(planned, paths.bundle)
	}
	for _, name := range planned {
		if _, err := os.Lstat(name); err == nil && !c.Bool("force") {
			return paths, fmt.Errorf("%s: %w", name, limits.ErrExists)
		}
	}
	return paths, nil
}

// writeEvidence writes all files or none.
func writeEvidence(c *cli.Context, world *console, chart *chartsign.Chart, list []made) error {
	var written []string
	for _, one := range list {
		err := limits.WriteFile(one.path, one.evidence.Bytes(), limits.WriteOptions{Replace: c.Bool("force")})
		if err == nil {
			written = append(written, one.path)
			err = readBack(one)
		}
		if err != nil {
			for _, path := range written {
				_ = os.Remove(path)
			}
			return err
		}
	}
	if c.Bool("quiet") {
		return nil
	}
	fmt.Fprintf(world.stdout, "signed %s %s (%s)\n", chart.Name(), chart.Version(), chart.Digest())
	for _, one := range list {
		fmt.Fprintf(world.stdout, "  %-10s  %s\n", one.evidence.Kind(), one.path)
	}
	return nil
}

func readBack(one made) error {
	data, err := limits.ReadFile(one.path, limits.Bundle)
	if err != nil {
		return err
	}
	if got := chartsign.DigestOf(data); got != one.evidence.Digest() {
		return fmt.Errorf("%s reads back as %s: want %s", one.path, got, one.evidence.Digest())
	}
	return nil
}

// signRemote signs a chart in a registry and attaches what was made.
func signRemote(ctx context.Context, c *cli.Context, world *console, ref chartsign.Reference, signers signers) error {
	remote, subject, err := resolveRemote(ctx, c, world, ref)
	if err != nil {
		return err
	}
	var list []chartsign.Evidence
	if signers.pgp != nil {
		// A .prov vouches for Chart.yaml in the archive: it is read, not believed.
		chart, err := remote.Archive(ctx)
		if err != nil {
			return err
		}
		evidence, err := signers.pgp.Sign(chart)
		if err != nil {
			return err
		}
		list = append(list, evidence)
	}
	if signers.sigstore != nil {
		evidence, err := signers.sigstore.SignManifest(ctx, subject.Manifest)
		if err != nil {
			return err
		}
		list = append(list, evidence)
	}
	if !c.Bool("quiet") {
		fmt.Fprintf(world.stdout, "signed %s\n", subject.Resolved())
	}
	return attachAll(ctx, c, world, remote, subject, list)
}
