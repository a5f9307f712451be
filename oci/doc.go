// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package oci reads charts and their evidence from OCI registries, and puts them there.
//
// A Chart is one remote chart. It asks the registry once what its reference names and
// speaks of that manifest's digest ever after: a tag that moves between two calls changes
// nothing. To judge a chart (Resolve, Evidence) its archive is never requested. All methods
// may be called at the same time, and again.
//
// What a registry says is not trusted. A manifest MUST have exactly one Helm config, one
// chart layer, at most one .prov layer and nothing else, all named by SHA-256; an index is
// no chart. Content MUST have the digest and size that its descriptor promised. Evidence is
// the union of the Referrers API and the fallback tag sha256-HEX; what a referrer is, is
// read from its own manifest, whose subject MUST be the chart. Evidence that is listed and
// cannot be read is reported as such, and a listing that could not be finished has a
// Problem: neither ever looks like 'unsigned'. Every answer has a cap (internal/limits).
//
// Credentials go to the registry that they are kept for, and to the https token service
// that it names; never along a redirect, to the Location of an upload, or to the page that
// a Link header points to on another host. Errors about the registry are
// *chartsign.Reason and hold no credentials.
//
// The package imports the root package, oras-go for authentication, and no judge: it
// satisfies the Source interface that package gate declares.
//
//	client, err := oci.NewClient(oci.Options{Getenv: os.Getenv, Now: time.Now})
//	…
//	ref, err := chartsign.ParseReference("oci://registry.example/charts/web:1.2.3")
//	…
//	chart := client.Chart(ref)
//	subject, err := chart.Resolve(ctx) // name, version, digests: not judged yet
//	…
//	listing, err := chart.Evidence(ctx)
//	…                                             // judge
//	paths, err := chart.Pull(ctx, ".", oci.PullOptions{}) // exactly what was judged
package oci
