// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chartsign/chartsign/internal/limits"
)

// module is the text of one Rego file.
type module struct {
	name   string // within its source; goes into the digest
	path   string // for people and for the compiler
	source string // the source that named it
	text   string
}

// document is one data file, still encoded.
type document struct {
	name  string // within its source
	path  string // for people
	under []string
	text  []byte
}

// loader reads sources. OPA's own loader is never used: it takes URLs, UNC paths and
// prefixes apart (CVE-2024-8260), follows every link and knows no caps.
type loader struct {
	modules   []module
	documents []document
	entries   int
	size      int64 // of the documents
}

// load reads all sources and data files.
func load(ctx context.Context, opts Options) (*loader, error) {
	l := &loader{}
	for _, source := range opts.Sources {
		if err := l.source(ctx, source); err != nil {
			return nil, err
		}
	}
	for _, file := range opts.Data {
		if !isData(file) {
			return nil, sourceError(ErrSource, file, errors.New("want a file .json, .yaml or .yml"))
		}
		if err := l.file(file); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// source reads a file .rego or a directory.
func (l *loader) source(ctx context.Context, source string) error {
	if err := checkPath(source); err != nil {
		return err
	}
	info, err := os.Stat(source)
	switch {
	case err != nil:
		return sourceError(ErrSource, source, err)
	case info.IsDir():
		return l.directory(ctx, source)
	case !isModule(source):
		return sourceError(ErrSource, source, errors.New("want a file .rego or a directory"))
	default:
		return l.file(source)
	}
}

// checkPath refuses what is no plain path: a URL, or a UNC path, which makes Windows send
// the credentials of the user to a server (CVE-2024-8260).
func checkPath(name string) error {
	slashed := strings.ReplaceAll(name, `\`, "/")
	switch {
	case name == "" || strings.ContainsRune(name, 0):
		return sourceError(ErrSource, name, errors.New("want the path of a file or a directory"))
	case strings.Contains(slashed, "://") || strings.HasPrefix(strings.ToLower(slashed), "file:"):
		return sourceError(ErrSource, name, errors.New("got a URL, want the path of a file or a directory"))
	case strings.HasPrefix(slashed, "//"):
		return sourceError(ErrSource, name, errors.New("got a UNC path, want a local one"))
	default:
		return nil
	}
}

// file reads one module or document that was named by itself.
func (l *loader) file(name string) error {
	if err := checkPath(name); err != nil {
		return err
	}
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return sourceError(ErrSource, name, err)
	}
	defer func() { _ = root.Close() }()
	base := filepath.Base(name)
	return l.read(root, name, name, base, nil)
}

// directory reads every module, and every data.json and data.yaml, below dir. Data is put
// below the names of its directories, as OPA does. Hidden directories are not entered.
func (l *loader) directory(ctx context.Context, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return sourceError(ErrSource, dir, err)
	}
	defer func() { _ = root.Close() }()
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err != nil {
			return sourceError(ErrSource, full, err)
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read policy %s: %w", dir, err)
		}
		if l.entries++; l.entries > limits.PolicyEntries {
			return sourceError(ErrSource, dir, fmt.Errorf("directory is %w: want at most %d entries", limits.ErrTooLarge, limits.PolicyEntries))
		}
		return l.entry(root, dir, name, entry)
	})
}

// entry reads one entry of a directory if it is of the policy.
func (l *loader) entry(root *os.Root, dir, name string, entry fs.DirEntry) error {
	base, full := path.Base(name), filepath.Join(dir, filepath.FromSlash(name))
	hidden := name != "." && strings.HasPrefix(base, ".")
	isPolicy := isModule(base) || isDataOfDirectory(base)
	switch {
	case entry.IsDir() && hidden:
		return fs.SkipDir
	case entry.IsDir(), hidden && !isPolicy:
		return nil
	case hidden:
		return sourceError(ErrSource, full, errors.New("got a hidden policy file, which would be overlooked: rename or remove it"))
	}
	if entry.Type()&fs.ModeSymlink != 0 {
		if err := checkLink(root, name); err != nil {
			return sourceError(ErrSource, full, err)
		}
	}
	if !isPolicy {
		return nil
	}
	var under []string
	if parent := path.Dir(name); parent != "." {
		under = strings.Split(parent, "/")
	}
	return l.read(root, dir, full, name, under)
}

// checkLink refuses links out of the tree, and links to directories, which the walk would
// not enter: rules there would be missing without anybody noticing.
func checkLink(root *os.Root, name string) error {
	info, err := root.Stat(filepath.FromSlash(name))
	if err != nil {
		return fmt.Errorf("symbolic link out of the directory, or to nothing: %w", err)
	}
	if info.IsDir() {
		return errors.New("got a symbolic link to a directory, want the directory itself")
	}
	return nil
}

// read reads the file name within root. The root holds the promise that no link leads out.
func (l *loader) read(root *os.Root, source, full, name string, under []string) error {
	full = filepath.Clean(full)
	limit := limits.PolicyModule
	if !isModule(name) {
		limit = limits.PolicyData - l.size
	}
	data, err := readRegular(root, filepath.FromSlash(name), limit)
	if err != nil {
		return sourceError(ErrSource, full, err)
	}
	if !isModule(name) {
		l.size += int64(len(data))
		l.documents = append(l.documents, document{name: name, path: full, under: under, text: data})
		return nil
	}
	if len(l.modules) == limits.PolicyModules {
		return sourceError(ErrSource, source, fmt.Errorf("policy is %w: want at most %d modules", limits.ErrTooLarge, limits.PolicyModules))
	}
	if slices.ContainsFunc(l.modules, func(m module) bool { return m.path == full }) {
		return sourceError(ErrSource, full, errors.New("got the same module twice, want each once"))
	}
	l.modules = append(l.modules, module{name: name, path: full, source: source, text: string(data)})
	return nil
}

func readRegular(root *os.Root, name string, limit int64) ([]byte, error) {
	// Before opening it: opening a pipe waits for a writer.
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("got %s, want a regular file", info.Mode().Type())
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return limits.Read(file, limit, "file")
}

func isModule(name string) bool { return strings.EqualFold(filepath.Ext(name), ".rego") }

func isTestFile(name string) bool {
	return strings.HasSuffix(strings.ToLower(name), "_test.rego")
}

func isData(name string) bool {
	return slices.Contains([]string{".json", ".yaml", ".yml"}, strings.ToLower(filepath.Ext(name)))
}

func isDataOfDirectory(name string) bool {
	return isData(name) && strings.EqualFold(strings.TrimSuffix(name, filepath.Ext(name)), "data")
}
