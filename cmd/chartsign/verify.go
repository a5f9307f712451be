// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/oci"
	"github.com/chartsign/chartsign/policy"
	reports "github.com/chartsign/chartsign/report"
)

func verifyCommand(world *console) *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "judge evidence and policy of one or many charts",
		ArgsUsage: "CHART.tgz | oci://REF …",
		Description: `Judges whether each chart may be used: who signed it, whether that is somebody you named,
whether the evidence is about exactly this chart, and what your policies say. A chart in a
registry is judged without downloading it. Nothing is trusted by default.

Exit codes: 0 allowed, 1 usage, 2 denied by policy, 3 unsigned, 4 rejected, 5 inconclusive,
6 authentication.

Examples:
  chartsign verify web-1.2.3.tgz --keyring maintainers.asc
  chartsign verify oci://registry.example/charts/web:1.2.3 --trust trust.yaml
  chartsign verify oci://registry.example/charts/web:1.2.3 --trusted-root trusted_root.json \
    --certificate-identity release@example.com --certificate-oidc-issuer https://accounts.example.com
  chartsign verify *.tgz --trust trust.yaml --policy policy/ -o text -o json=report.json`,
		Flags: slices.Concat(trustFlags(), registryFlags(), commonFlags(), []cli.Flag{
			file(groupTrust, "prov", "the chart's .prov file is `FILE` (default: beside the chart)"),
			list(groupTrust, "bundle", "the chart's Sigstore bundle is `FILE` (default: beside the chart; repeatable)"),
			text(groupTrust, "as", "judge a local chart by the rules for `oci://REF`"),
			&cli.IntFlag{Name: "jobs", Usage: "judge `N` charts at once", Value: 4, Category: groupOutput, EnvVars: env("jobs")},
			outputFlag(),
		}),
		Action: func(c *cli.Context) error { return runVerify(c, world) },
	}
}

func runVerify(c *cli.Context, world *console) error {
	ctx, cancel := bounded(c)
	defer cancel()
	outputs, err := parseOutputs(c)
	if err != nil {
		return err
	}
	if c.NArg() == 0 {
		return usagef("verify takes at least one chart").hint("chartsign verify CHART.tgz --keyring FILE")
	}
	requests, err := verifyRequests(ctx, c, world)
	if err != nil {
		return err
	}
	trust, err := compileTrust(ctx, c)
	if err != nil {
		return err
	}
	judgements := judgeAll(ctx, trust, requests, c.Int("jobs"))
	if err := publish(c, world, outputs, judgements); err != nil {
		return err
	}
	return failureOf(judgements, c.Bool("quiet"))
}

// publish writes what the policy saw, where that is asked, and the reports.
func publish(c *cli.Context, world *console, outputs []output, judgements []gate.Judgement) error {
	if path := c.String("input-out"); path != "" {
		if err := writeInput(path, judgements); err != nil {
			return err
		}
	}
	return writeReport(c, world, outputs, reports.New(judgements))
}

// newRequest returns what the flags say about every chart that operation judges.
func newRequest(c *cli.Context, world *console, operation string) (gate.Request, error) {
	effective, err := effectiveTime(c)
	return gate.Request{
		Time: world.now(), EffectiveTime: effective, KeepInput: c.String("input-out") != "",
		Context: policy.Context{Operation: operation, Namespace: c.String("context-namespace"), User: c.String("context-user")},
	}, err
}

// failureOf returns the worst outcome as an error that the report has explained already.
func failureOf(judgements []gate.Judgement, quiet bool) error {
	var codes []int
	var first error
	for _, judgement := range judgements {
		code := codeOfJudgement(judgement)
		codes = append(codes, code)
		if code != exitAllowed && first == nil && judgement.Reason != nil {
			first = fmt.Errorf("%s: %s: %w", judgement.Subject.Reference.Given, judgement.Verdict, judgement.Reason)
		}
	}
	code := worst(codes...)
	switch {
	case code == exitAllowed:
		return nil
	case first == nil:
		first = errors.New("not allowed, and nobody said why")
	}
	return &failure{err: first, code: code, shown: !quiet}
}

func verifyRequests(ctx context.Context, c *cli.Context, world *console) ([]gate.Request, error) {
	base, err := newRequest(c, world, "verify")
	if err != nil {
		return nil, err
	}
	if c.NArg() > 1 && (c.String("prov") != "" || len(values(c, "bundle")) > 0 || c.String("as") != "" || c.String("input-out") != "") {
		return nil, usagef("--prov, --bundle, --as and --input-out are about one chart: got %d", c.NArg())
	}
	var clients clientCache
	var requests []gate.Request
	for _, arg := range c.Args().Slice() {
		request, err := verifyRequest(ctx, c, world, base, arg, &clients)
		if err != nil {
			return nil, err
		}
		requests = append(requests, request)
	}
	return requests, nil
}

func verifyRequest(ctx context.Context, c *cli.Context, world *console, request gate.Request, arg string, clients *clientCache) (gate.Request, error) {
	ref, err := chartsign.ParseReference(arg)
	if err != nil {
		return request, usageError(err)
	}
	request.Reference = ref
	if ref.IsOCI() {
		client, err := clients.get(c, world, ref)
		if err != nil {
			return request, err
		}
		remote := client.Chart(ref).Prefetch()
		if c.String("trust") == "" && c.NArg() == 1 {
			remote.Start(ctx) // a trust policy must be asked first whether the chart matters; flags match any
		}
		request.Source = remote
		return request, nil
	}
	if as := c.String("as"); as != "" {
		if request.Reference, err = parseRemote(as); err != nil {
			return request, err
		}
	}
	file, err := limits.OpenRegular(arg)
	if err != nil {
		return request, usageError(err).hint("a chart is a packaged .tgz or oci://REGISTRY/REPOSITORY:TAG")
	}
	request.Source = &gate.File{Path: arg, Reference: request.Reference, Provenance: c.String("prov"), Bundles: values(c, "bundle")}
	return request, file.Close()
}

// clientCache holds one client for each registry, so that tokens are shared.
type clientCache map[string]*oci.Client

func (m *clientCache) get(c *cli.Context, world *console, ref chartsign.Reference) (*oci.Client, error) {
	if client := (*m)[ref.Registry]; client != nil {
		return client, nil
	}
	if len(*m) > 0 && c.Bool("password-stdin") {
		return nil, usagef("--password-stdin is about one registry: got charts of several")
	}
	client, err := newClient(c, world, ref)
	if err != nil {
		return nil, err
	}
	if *m == nil {
		*m = make(clientCache)
	}
	(*m)[ref.Registry] = client
	return client, nil
}

// judgeAll judges in parallel and keeps the order. Judge turns a panic into that chart's
// failure.
func judgeAll(ctx context.Context, trust *gate.Trust, requests []gate.Request, jobs int) []gate.Judgement {
	judgements := make([]gate.Judgement, len(requests))
	var group errgroup.Group
	group.SetLimit(max(jobs, 1))
	for i, request := range requests {
		group.Go(func() error {
			judgements[i] = trust.Judge(ctx, request)
			return nil
		})
	}
	_ = group.Wait() // no function returns an error
	return judgements
}

func writeInput(path string, judgements []gate.Judgement) error {
	for _, judgement := range judgements {
		if judgement.Input == nil {
			return nil // no policy was asked, or the chart did not get that far
		}
		if err := limits.WriteFile(path, append(judgement.Input, '\n'), limits.WriteOptions{Replace: true}); err != nil {
			return usageError(err)
		}
	}
	return nil
}
