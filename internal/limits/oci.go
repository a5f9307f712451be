// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package limits

import "time"

// The caps on what a registry may answer, in bytes unless the name or type says otherwise.
const (
	// OCIManifest bounds a chart's manifest and one page of an index. The distribution
	// specification has registries refuse manifests above 4 MiB.
	OCIManifest int64 = 4 << 20
	// OCIReferrerManifest bounds the manifest of one referrer. Real ones are about 1 KiB;
	// as many as OCIReferrers are read, so a small cap keeps all of them small together.
	OCIReferrerManifest int64 = 256 << 10
	// OCIJSONDepth bounds the nesting of a manifest. The specification needs five levels.
	OCIJSONDepth = 32
	// OCIReferrers bounds how many referrers of one chart are looked at, and how many
	// pieces of evidence are read. Charts signed daily for years have some hundreds.
	OCIReferrers = 1000
	// OCIReferrersPages bounds the pages of the Referrers API (oras-go#1215: a registry that
	// never ends). Ten entries a page reach OCIReferrers.
	OCIReferrersPages = 100
	// OCIEvidence bounds the bytes of all evidence of one chart together: OCIReferrers
	// bundles of the largest size would be 16 GiB.
	OCIEvidence int64 = 128 << 20
	// OCIRedirects bounds the redirects of one request: registries need one or two to reach
	// their blob storage.
	OCIRedirects = 5
	// OCIConcurrency bounds the requests that one operation makes at a time; registries
	// throttle clients that open more.
	OCIConcurrency = 8
	// OCIHeaders bounds the headers of one response. Tokens in Location are some KiB.
	OCIHeaders int64 = 256 << 10
	// OCIRetries bounds how often one request is sent again after 429, 5xx or a lost
	// connection: enough for a hiccup, too few to be a burden.
	OCIRetries = 2
	// OCIRetryWait bounds how long one Retry-After is waited for. Rate limits that ask for
	// more are minutes or hours, which the caller has to decide about.
	OCIRetryWait = 10 * time.Second
	// OCIHeaderWait bounds the wait for the first byte of a response.
	OCIHeaderWait = 60 * time.Second
	// OCIStall bounds the wait for the next byte of a body, so that a connection which only
	// stays open does not hold a gate.
	OCIStall = 60 * time.Second
	// OCIFallbackRounds bounds how often the index of a fallback tag is read while it
	// settles. Thirty writers at once need about half as many.
	OCIFallbackRounds = 100
	// OCISettle is the least time that an index has to stand before its writer believes it.
	// Tag updates take up to 200 ms with common registries.
	OCISettle = 500 * time.Millisecond
	// TLSFile bounds a file of CA certificates, a client certificate or its key: the CA
	// bundle of a Linux distribution is 250 KiB.
	TLSFile int64 = 2 << 20
)
