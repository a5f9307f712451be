// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// Source is where one chart and its evidence come from: a local file, a registry, a chart
// repository. Errors are *chartsign.Reason where a program should tell them apart.
type Source interface {
	// Resolve finds out, once, what the reference means, and reads the chart's facts.
	Resolve(ctx context.Context) (chartsign.Subject, error)
	// Evidence lists everything that claims to speak for the resolved chart.
	Evidence(ctx context.Context) (chartsign.Listing, error)
	// Archive reads the resolved chart's archive and checks its digest.
	Archive(ctx context.Context) (*chartsign.Chart, error)
}

// File is a Source for a packaged chart on disk, with its evidence beside it.
type File struct {
	// Path of the .tgz.
	Path string
	// Reference is what the file is judged as; the zero value means the file itself.
	Reference chartsign.Reference
	// Provenance and Bundles are the files of evidence. Where both are empty, those beside
	// the chart are taken if they exist: PATH.prov and PATH.sigstore.json.
	Provenance string
	Bundles    []string
	// MaxUnpacked raises the cap on the unpacked size, in bytes; zero means Helm's.
	MaxUnpacked int64
}

// Resolve reads the chart from start to end.
func (f *File) Resolve(context.Context) (chartsign.Subject, error) {
	file, err := limits.OpenRegular(f.Path)
	if err != nil {
		return chartsign.Subject{}, unreadable(err)
	}
	defer func() { _ = file.Close() }()
	chart, err := chartsign.ReadChart(file, chartsign.ReadOptions{MaxUnpacked: f.MaxUnpacked})
	if err != nil {
		return chartsign.Subject{}, err
	}
	ref := f.Reference
	if ref == (chartsign.Reference{}) {
		ref = chartsign.Reference{Given: f.Path, File: f.Path}
	}
	return chartsign.Subject{Reference: ref, Chart: chart}, nil
}

func unreadable(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return chartsign.Reasonf(chartsign.ReasonNotFound, "%w", err)
	}
	return chartsign.Reasonf(chartsign.ReasonUnavailable, "%w", err)
}

// Archive resolves again: a local chart's facts are those of its archive.
func (f *File) Archive(ctx context.Context) (*chartsign.Chart, error) {
	subject, err := f.Resolve(ctx)
	return subject.Chart, err
}

// Evidence reads the files of evidence. A file that was named must exist; one that is
// merely looked for may be missing, but not unreadable.
func (f *File) Evidence(context.Context) (chartsign.Listing, error) {
	var listing chartsign.Listing
	if f.Provenance == "" && len(f.Bundles) == 0 {
		listing.Evidence = append(listing.Evidence, f.read(chartsign.KindProvenance, f.Path+".prov", limits.Provenance, true)...)
		listing.Evidence = append(listing.Evidence, f.read(chartsign.KindBundle, f.Path+".sigstore.json", limits.Bundle, true)...)
		return listing, nil
	}
	if f.Provenance != "" {
		listing.Evidence = append(listing.Evidence, f.read(chartsign.KindProvenance, f.Provenance, limits.Provenance, false)...)
	}
	for _, path := range f.Bundles {
		listing.Evidence = append(listing.Evidence, f.read(chartsign.KindBundle, path, limits.Bundle, false)...)
	}
	return listing, nil
}

func (f *File) read(kind chartsign.EvidenceKind, path string, limit int64, optional bool) []chartsign.Evidence {
	if optional {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	data, err := limits.ReadFile(path, limit)
	if err != nil {
		return []chartsign.Evidence{chartsign.UnreadableEvidence(kind, chartsign.SourceFile, path, chartsign.Digest{}, err)}
	}
	return []chartsign.Evidence{chartsign.NewEvidence(kind, chartsign.SourceFile, path, data)}
}
