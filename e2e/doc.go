// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e tells stories against the real peers: helm 4, helm 3, cosign and gpg, two
// registries and a private Sigstore, all on loopback. It drives programs and imports nothing
// of chartsign.
//
// `make e2e` builds what it needs and sets CHARTSIGN_BIN, SANDBOX_BIN (absolute paths) and a
// PATH with the peers in the versions of tools/versions.txt. Whatever is missing fails the
// run; nothing is skipped.
//
// A story is a testscript in testdata/script. Those in its folder registry are told twice:
// for a registry without the Referrers API and for one with it. Besides testscript's own
// commands there are
//
//	exits CODE COMMAND…           run, and require the exact exit code
//	honest ROW CODE COMMAND…      the same, and note the verdict in the table of honest evidence
//	hostile ROW CODE COMMAND…     the same, in the table of what must not pass
//	capture NAME stdout|stderr RE set NAME to what RE's group matches in the last output
//	tamper FILE                   change a bit in the middle
//	edit FILE OLD NEW             replace the one occurrence of OLD
//	graft PATH FROM INTO          replace a field of one JSON file by that of another
//	genkey FILE rsa|p384          make a private key, PEM
//	turncoat NAME REPO TAG FIRST THEN   serve the registry under NAME; TAG changes after its first use
//	guarded NAME USER PASSWORD    serve the registry under NAME, behind a password
//	asked NAME FILE               write what the server under NAME was asked, one request a line
//
// A story has its own HOME, Helm, GnuPG and cosign folders and these variables:
//
//	DATA                 the repository's testdata
//	R                    oci prefix of this story: HOST:PORT/STORY
//	VIA, SOURCE          in folder registry: how referrers are found, in the words of sign and of the report
//	ISSUER, GITHUB       token issuers
//	FULCIO, TSA          services
//	FPR, FPR_MAINTAINER  fingerprints of test keys
//
// trusted_root.json and signing_config.json lie in its working directory.
//
// The provenance vectors and every odd Chart.yaml of testdata are shown to helm, too.
//
// At the end of the run tables are printed, and written to the file that E2E_TABLES names:
// who accepts what is honest, who refuses what is not, and where chartsign is stricter.
package e2e
