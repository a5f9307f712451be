// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"strings"
	"time"

	"github.com/chartsign/chartsign"
)

const (
	annotationTitle   = "org.opencontainers.image.title"
	annotationVersion = "org.opencontainers.image.version"
)

// annotations returns those that Helm writes: some fields of Chart.yaml under the names of
// the OCI image specification, and the chart's own annotations, which may override all of
// them but title and version. Blank values are left out.
func annotations(metadata *chartsign.Metadata, created time.Time) map[string]string {
	result := make(map[string]string)
	add := func(name, value string) {
		if strings.TrimSpace(value) != "" {
			result[name] = value
		}
	}
	add("org.opencontainers.image.description", metadata.Description)
	add(annotationTitle, metadata.Name)
	add(annotationVersion, metadata.Version)
	add("org.opencontainers.image.url", metadata.Home)
	if !created.IsZero() {
		add(annotationCreated, created.Format(time.RFC3339))
	}
	if len(metadata.Sources) > 0 {
		add("org.opencontainers.image.source", metadata.Sources[0])
	}
	add("org.opencontainers.image.authors", authors(metadata.Maintainers))
	for name, value := range metadata.Annotations {
		if name != annotationTitle && name != annotationVersion {
			result[name] = value
		}
	}
	return result
}

// authors are 'NAME (EMAIL), NAME (EMAIL)'; the blank before an e-mail stands even where
// there is no name.
func authors(maintainers []*chartsign.Maintainer) string {
	list := make([]string, 0, len(maintainers))
	for _, maintainer := range maintainers {
		author := maintainer.Name
		if maintainer.Email != "" {
			author += " (" + maintainer.Email + ")"
		}
		list = append(list, author)
	}
	return strings.Join(list, ", ")
}
