// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// PullOptions say what Pull writes. The zero value writes the chart and replaces nothing.
type PullOptions struct {
	// Prov writes the .prov layer beside the chart. A chart without one is an error of code
	// ReasonNotFound: a missing .prov must not look like a verified chart.
	Prov bool
	// Replace permits to replace existing files.
	Replace bool
	// Progress is called with the bytes that have come and those of the whole archive.
	Progress func(done, total int64)
}

const provSuffix = ".prov"

// Pull writes the chart to NAME-VERSION.tgz in dir, which must exist, and returns the
// paths written: the chart's, then the .prov's. It is the content that was resolved, by
// digest, whatever the tag says by now; its Chart.yaml must be the one that Resolve
// returned. If anything fails nothing is left behind; an existing file is an error that
// wraps limits.ErrExists.
func (c *Chart) Pull(ctx context.Context, dir string, opts PullOptions) ([]string, error) {
	subject, err := c.Resolve(ctx)
	if err != nil {
		return nil, err
	}
	found, err := c.resolved(ctx)
	if err != nil {
		return nil, err
	}
	prov, err := c.wantedProv(ctx, found, opts)
	if err != nil {
		return nil, err
	}
	name := subject.Chart.FileName()
	if !filepath.IsLocal(name) || filepath.Base(name) != name { // CVE-2024-25620, CVE-2026-35206
		return nil, chartsign.Reasonf(chartsign.ReasonNotAChart, "the chart's file name %.200q is a path", name)
	}
	path := filepath.Join(dir, name)
	write := limits.WriteOptions{Replace: opts.Replace}
	provWritten := false
	err = limits.WriteStream(path, write, func(w io.Writer) error {
		if err := c.fill(ctx, w, subject, found, opts.Progress); err != nil {
			return err
		}
		if prov == nil {
			return nil
		}
		// The .prov goes first: a chart is never in place without it.
		err := limits.WriteFile(path+provSuffix, prov, write)
		provWritten = err == nil
		return err
	})
	switch {
	case err != nil && provWritten:
		_ = os.Remove(path + provSuffix)
		return nil, err
	case err != nil:
		return nil, err
	case prov != nil:
		return []string{path, path + provSuffix}, nil
	default:
		return []string{path}, nil
	}
}

func (c *Chart) wantedProv(ctx context.Context, found *contents, opts PullOptions) ([]byte, error) {
	if !opts.Prov {
		return nil, nil
	}
	if found.prov == nil {
		return nil, chartsign.Reasonf(chartsign.ReasonNotFound, "%s has no .prov layer", c.ref.Pinned(found.manifest.digest))
	}
	return c.prov(ctx, *found.prov)
}

// fill downloads the archive into w and holds it against what was judged.
func (c *Chart) fill(ctx context.Context, w io.Writer, judged chartsign.Subject, found *contents, progress func(done, total int64)) error {
	if progress != nil {
		w = &meter{w: w, total: found.chart.Size, report: progress}
	}
	chart, err := c.stream(ctx, found.chart, w)
	if err != nil {
		return err
	}
	if !chart.Metadata().Equal(judged.Chart.Metadata()) {
		return chartsign.Reasonf(chartsign.ReasonContentMismatch, "Chart.yaml of the archive (%s %s) is not what the config blob says (%s %s)",
			chart.Name(), chart.Version(), judged.Chart.Name(), judged.Chart.Version())
	}
	return nil
}

// meter reports the progress of what is written.
type meter struct {
	w           io.Writer
	done, total int64
	report      func(done, total int64)
}

func (m *meter) Write(p []byte) (int, error) {
	n, err := m.w.Write(p)
	m.done += int64(n)
	m.report(m.done, m.total)
	return n, err
}
