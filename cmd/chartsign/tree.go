// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/oci"
	reports "github.com/chartsign/chartsign/report"
)

func treeCommand(world *console) *cli.Command {
	return &cli.Command{
		Name:      "tree",
		Usage:     "show what is attached to a chart, from where and of which kind",
		ArgsUsage: "oci://REF",
		Description: `Lists the chart's layers, its referrers (of the Referrers API and of the fallback tag) and
cosign's older tags. Nothing is verified: verify does that.

Example:
  chartsign tree oci://registry.example/charts/web:1.2.3`,
		Flags:  slices.Concat(registryFlags(), commonFlags(), []cli.Flag{outputFlag()}),
		Action: func(c *cli.Context) error { return runTree(c, world) },
	}
}

func runTree(c *cli.Context, world *console) error {
	if err := exactly(c, 1); err != nil {
		return err
	}
	outputs, err := parseOutputs(c)
	if err != nil {
		return err
	}
	if len(outputs) != 1 || outputs[0].path != "" {
		return usagef("tree writes one form, to standard output")
	}
	ref, err := parseRemote(c.Args().First())
	if err != nil {
		return err
	}
	ctx, cancel := bounded(c)
	defer cancel()
	remote, subject, err := resolveRemote(ctx, c, world, ref)
	if err != nil {
		return err
	}
	tree, err := remote.Tree(ctx)
	if err != nil {
		return err
	}
	if err := writeTree(world.stdout, outputs[0].format, newTreeDocument(subject, tree)); err != nil {
		return err
	}
	if tree.Problem != nil {
		return fmt.Errorf("there may be more: %w", tree.Problem)
	}
	return nil
}

// treeDocument is the JSON form: apiVersion chartsign.dev/v1, kind Tree.
type treeDocument struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Reference  string     `json:"reference"`
	Resolved   string     `json:"resolved"`
	Entries    []treeNode `json:"entries"`
	Complete   bool       `json:"complete"`
}

type treeNode struct {
	Role          string `json:"role"` // manifest | config | layer | referrer | legacy
	Source        string `json:"source,omitempty"`
	Type          string `json:"type"`
	PredicateType string `json:"predicateType,omitempty"`
	Digest        string `json:"digest"`
	Size          int64  `json:"size"`
	Tag           string `json:"tag,omitempty"`
	Problem       string `json:"problem,omitempty"`
}

func newTreeDocument(subject chartsign.Subject, tree oci.Tree) treeDocument {
	document := treeDocument{
		APIVersion: "chartsign.dev/v1", Kind: "Tree", Reference: subject.Reference.Given, Resolved: subject.Resolved(), Complete: tree.Problem == nil,
	}
	add := func(role string, node oci.Node) *treeNode {
		document.Entries = append(document.Entries, treeNode{Role: role, Type: node.MediaType, Digest: node.Digest.String(), Size: node.Size})
		return &document.Entries[len(document.Entries)-1]
	}
	add("manifest", tree.Manifest)
	add("config", tree.Config)
	for _, layer := range tree.Layers {
		add("layer", layer)
	}
	for _, referrer := range tree.Referrers {
		node := add("referrer", referrer.Node)
		node.Source, node.Type, node.PredicateType = string(referrer.Source), referrer.ArtifactType, referrer.PredicateType
		if referrer.Problem != nil {
			node.Problem = referrer.Problem.Error()
		}
	}
	for _, legacy := range tree.Legacy {
		node := add("legacy", legacy.Node)
		node.Source, node.Tag = string(chartsign.SourceLegacyTag), legacy.Tag
	}
	return document
}

func writeTree(w io.Writer, format string, document treeDocument) error {
	switch format {
	case "json":
		return reports.EncodeJSON(w, document)
	case "yaml":
		return reports.EncodeYAML(w, document)
	default:
		return writeTreeText(w, document)
	}
}

func writeTreeText(w io.Writer, document treeDocument) error {
	if _, err := fmt.Fprintln(w, document.Resolved); err != nil {
		return err
	}
	table := reports.Table{}
	for i, node := range document.Entries[1:] {
		branch := "├─"
		if i == len(document.Entries)-2 {
			branch = "└─"
		}
		what := reports.Clean(node.Type)
		if node.PredicateType != "" {
			what += "  " + reports.Clean(node.PredicateType)
		}
		if node.Problem != "" {
			what += "  ! " + reports.Clean(node.Problem)
		}
		from := node.Source
		if from == "" {
			from = "manifest"
		}
		table.Add(branch+" "+node.Role, from, node.Digest, reports.Size(node.Size), what)
	}
	_, err := table.WriteTo(w)
	return err
}
