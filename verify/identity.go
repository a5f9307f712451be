// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/chartsign/chartsign"
)

// ExtensionNames returns the names of the certificate extensions that a signer may be
// matched by: those of Fulcio's OID list (1.3.6.1.4.1.57264.1), in lowerCamelCase.
func ExtensionNames() []string {
	return []string{
		"githubWorkflowTrigger", "githubWorkflowSHA", "githubWorkflowName", "githubWorkflowRepository", "githubWorkflowRef",
		"buildSignerURI", "buildSignerDigest", "runnerEnvironment", "sourceRepositoryURI", "sourceRepositoryDigest",
		"sourceRepositoryRef", "sourceRepositoryIdentifier", "sourceRepositoryOwnerURI", "sourceRepositoryOwnerIdentifier",
		"buildConfigURI", "buildConfigDigest", "buildTrigger", "runInvocationURI", "sourceRepositoryVisibilityAtSigning",
	}
}

// certificateIdentity reads the identity out of a certificate. One that names several
// subjects is refused: the library looks at the first, other readers may look at another.
func certificateIdentity(leaf *x509.Certificate) (chartsign.Identity, error) {
	summary, err := certificate.SummarizeCertificate(leaf)
	if err != nil {
		return chartsign.Identity{}, err
	}
	// Fulcio's certificate specification: exactly one subject alternative name.
	if names := len(leaf.URIs) + len(leaf.EmailAddresses) + len(leaf.DNSNames) + len(leaf.IPAddresses); names > 1 {
		return chartsign.Identity{}, fmt.Errorf("it has %d subject alternative names, want 1", names)
	}
	data, err := json.Marshal(summary.Extensions)
	if err != nil {
		return chartsign.Identity{}, err
	}
	extensions := make(map[string]string)
	if err := json.Unmarshal(data, &extensions); err != nil {
		return chartsign.Identity{}, err
	}
	delete(extensions, "issuer")
	for _, value := range append(slices.Collect(maps.Values(extensions)), summary.Issuer, summary.SubjectAlternativeName) {
		if strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return chartsign.Identity{}, fmt.Errorf("the value %.80q is not printable", value)
		}
	}
	if len(extensions) == 0 {
		extensions = nil
	}
	return chartsign.Identity{
		Kind:       chartsign.IdentityKeyless,
		Issuer:     summary.Issuer,
		Subject:    summary.SubjectAlternativeName,
		Extensions: extensions,
	}, nil
}
