// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/chartsign/chartsign/internal/limits"
)

// ReadOptions bound ReadChart. The zero value has Helm's own cap.
type ReadOptions struct {
	// MaxUnpacked is the largest unpacked size in bytes; zero means Helm's 100 MiB.
	MaxUnpacked int64
}

// maxUnpacked is the most that MaxUnpacked may raise the cap to: sums stay within 64 bits.
const maxUnpacked = 1 << 40

// ReadChart reads a packaged chart (gzip over tar, as helm package writes) once from start
// to end. It hashes while it reads and keeps nothing but Chart.yaml and the names, so its
// memory does not grow with the archive.
//
// It refuses, with a *Reason of code ReasonNotAChart: anything after the end of the gzip
// stream or non-zero bytes after the end of the tar; several roots; files outside the
// root; absolute paths, '.', '..', backslashes and drive letters in names; two entries of
// one name; links, devices, sparse files and every other type but files and folders, by
// type flag or by mode; global headers that are more than a comment; a missing or malformed
// Chart.yaml. A cap that is reached has the code ReasonChartTooLarge. An error of r itself
// is returned as it is.
func ReadChart(r io.Reader, opts ReadOptions) (*Chart, error) {
	if opts.MaxUnpacked <= 0 {
		opts.MaxUnpacked = limits.ChartUnpacked
	}
	opts.MaxUnpacked = min(opts.MaxUnpacked, maxUnpacked)
	source := &meter{r: r, hash: sha256.New(), limit: limits.ChartCompressed + opts.MaxUnpacked - limits.ChartUnpacked}
	scan := &scanner{seen: make(map[string]bool), unpackedLimit: opts.MaxUnpacked}
	err := scan.run(bufio.NewReaderSize(source, 64<<10))
	if source.err != nil {
		return nil, source.err
	}
	if err != nil {
		return nil, asReason(err)
	}
	if scan.chartYAML == nil {
		return nil, Reasonf(ReasonNotAChart, "the archive has no Chart.yaml below its root folder")
	}
	metadata, err := readMetadata(scan.chartYAML, scan.requirements)
	if err != nil {
		return nil, err
	}
	return &Chart{metadata: metadata, digest: SumDigest(source.hash), size: source.size, archive: true}, nil
}

func asReason(err error) error {
	var reason *Reason
	switch {
	case errors.As(err, &reason):
		return reason
	case errors.Is(err, limits.ErrTooLarge):
		return Reasonf(ReasonChartTooLarge, "%w", err)
	default:
		return Reasonf(ReasonNotAChart, "not a chart archive: %w", err)
	}
}

// meter hashes and counts the compressed bytes, and remembers errors of the reader below
// so that a network error is not mistaken for a malformed archive.
type meter struct {
	r     io.Reader
	hash  hash.Hash
	size  int64
	limit int64
	err   error
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.hash.Write(p[:n])
	m.size += int64(n)
	if m.size > m.limit {
		return 0, Reasonf(ReasonChartTooLarge, "the archive is %w: got more than %d bytes", limits.ErrTooLarge, m.limit)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		m.err = err
	}
	return n, err
}

// scanner walks the entries of one archive.
type scanner struct {
	root          string
	seen          map[string]bool
	nameBytes     int
	unpackedLimit int64
	chartYAML     []byte
	requirements  []byte
}

func (s *scanner) run(compressed *bufio.Reader) error {
	unzipped, err := gzip.NewReader(compressed)
	if err != nil {
		return err
	}
	unzipped.Multistream(false) // a second gzip member would be content that some readers see and some do not
	plain := &capped{r: unzipped, left: s.unpackedLimit + headerAllowance}
	if err := s.entries(tar.NewReader(plain)); err != nil {
		return err
	}
	if err := onlyZeros(plain); err != nil {
		return err
	}
	if _, err := compressed.ReadByte(); !errors.Is(err, io.EOF) {
		if err != nil {
			return err
		}
		return errors.New("data after the end of the gzip stream")
	}
	return nil
}

// headerAllowance is what the headers and padding of the largest permitted number of
// entries may take besides the contents.
const headerAllowance = limits.ChartEntries * 1024

func (s *scanner) entries(archive *tar.Reader) error {
	var unpacked int64
	for count := 0; ; count++ {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if count >= limits.ChartEntries {
			return Reasonf(ReasonChartTooLarge, "the archive has %w many entries: got more than %d", limits.ErrTooLarge, limits.ChartEntries)
		}
		if unpacked += header.Size; header.Size < 0 || unpacked > s.unpackedLimit {
			return Reasonf(ReasonChartTooLarge, "the unpacked chart is %w: got more than %d bytes", limits.ErrTooLarge, s.unpackedLimit)
		}
		if err := s.entry(header, archive); err != nil {
			return err
		}
	}
}

func (s *scanner) entry(header *tar.Header, content io.Reader) error {
	if header.Typeflag == tar.TypeXGlobalHeader {
		return checkGlobal(header)
	}
	if err := checkType(header); err != nil {
		return err
	}
	name, err := s.place(header)
	if err != nil || header.Typeflag == tar.TypeDir {
		return err
	}
	switch name {
	case "Chart.yaml":
		s.chartYAML, err = limits.Read(content, limits.ChartYAML, name)
	case "requirements.yaml":
		s.requirements, err = limits.Read(content, limits.ChartYAML, name)
	default:
		_, err = io.Copy(io.Discard, content)
	}
	return err
}

// checkType refuses what two readers could see differently: Helm skips what the mode calls
// a folder, others go by the type flag; sparse files and folders with content are read in
// several ways.
func checkType(header *tar.Header) error {
	mode := header.FileInfo().Mode().Type()
	switch {
	case header.Typeflag == tar.TypeReg && mode.IsRegular():
	case header.Typeflag == tar.TypeDir && mode == fs.ModeDir && header.Size == 0:
	default:
		return fmt.Errorf("entry %.200q is of type %q and mode %o: want files and folders only", header.Name, header.Typeflag, header.Mode)
	}
	for key := range header.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return fmt.Errorf("entry %.200q is a sparse file", header.Name)
		}
	}
	return nil
}

// checkGlobal accepts the comment that git archive writes. POSIX lets a global header set
// names and sizes of all entries after it; Go ignores that, other readers do not.
func checkGlobal(header *tar.Header) error {
	for key := range header.PAXRecords {
		if key != "comment" {
			return fmt.Errorf("global header sets %.80q: want a comment only", key)
		}
	}
	return nil
}

// place checks the entry's name and returns it relative to the root folder.
func (s *scanner) place(header *tar.Header) (string, error) {
	name := header.Name
	if header.Typeflag == tar.TypeDir {
		name = strings.TrimSuffix(name, "/")
	}
	if err := checkName(name); err != nil {
		return "", err
	}
	if s.nameBytes += len(name); s.nameBytes > limits.ChartNames {
		return "", Reasonf(ReasonChartTooLarge, "the names of the entries are %w: got more than %d bytes", limits.ErrTooLarge, limits.ChartNames)
	}
	if s.seen[name] {
		return "", fmt.Errorf("two entries are named %.200q", name)
	}
	s.seen[name] = true
	root, rest, nested := strings.Cut(name, "/")
	if !nested && header.Typeflag != tar.TypeDir {
		return "", fmt.Errorf("entry %.200q is outside the chart's root folder", name)
	}
	if s.root == "" {
		s.root = root
	}
	if root != s.root {
		return "", fmt.Errorf("the archive has several roots: got %.80q and %.80q", s.root, root)
	}
	return rest, nil
}

func checkName(name string) error {
	switch {
	case name == "" || len(name) > limits.ChartPathLength:
		return fmt.Errorf("an entry's name has %d bytes: want 1 to %d", len(name), limits.ChartPathLength)
	case strings.ContainsAny(name, "\\\x00"), path.IsAbs(name), path.Clean(name) != name, len(name) > 1 && name[1] == ':':
		return fmt.Errorf("entry %.200q: want a relative path with '/' and without '.' or '..'", name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "." || part == ".." || len(part) > 1 && part[1] == ':' {
			return fmt.Errorf("entry %.200q: want a relative path with '/' and without '.' or '..'", name)
		}
	}
	return nil
}

// capped ends a decompressed stream with ErrTooLarge, so that a bomb stops here.
type capped struct {
	r    io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, fmt.Errorf("the unpacked archive is %w", limits.ErrTooLarge)
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	return n, err
}

// onlyZeros reads to the end and refuses all but the padding of tar blocks.
func onlyZeros(r io.Reader) error {
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Read(buffer)
		for _, b := range buffer[:n] {
			if b != 0 {
				return errors.New("data after the end of the tar archive")
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
