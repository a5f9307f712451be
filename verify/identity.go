// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"encoding/json"

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

// certificateIdentity reads the identity out of a certificate.
func certificateIdentity(summary certificate.Summary) (chartsign.Identity, error) {
	data, err := json.Marshal(summary.Extensions)
	if err != nil {
		return chartsign.Identity{}, err
	}
	extensions := make(map[string]string)
	if err := json.Unmarshal(data, &extensions); err != nil {
		return chartsign.Identity{}, err
	}
	delete(extensions, "issuer")
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
