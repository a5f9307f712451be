// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package limits

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrExists is wrapped when an output is there already and may not be replaced.
var ErrExists = errors.New("output exists already")

// WriteOptions say how WriteFile writes. The zero value makes a new file of mode 0644.
type WriteOptions struct {
	// Mode of the file; zero means 0644.
	Mode fs.FileMode
	// Replace permits to replace an existing file.
	Replace bool
}

// WriteFile writes data to path atomically: see WriteStream.
func WriteFile(path string, data []byte, opts WriteOptions) error {
	return WriteStream(path, opts, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteStream lets fill write to a temporary file beside path, syncs it and moves it into
// place in one step. If fill or any step fails, path is as it was and nothing is left
// behind. Without Replace an existing path is an error (ErrExists), even one that appears
// while fill runs.
func WriteStream(path string, opts WriteOptions, fill func(io.Writer) error) error {
	if !opts.Replace {
		if _, statErr := os.Lstat(path); statErr == nil {
			return fmt.Errorf("%s: %w", path, ErrExists)
		}
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".chartsign-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	placed := false // stays false if fill panics, too
	defer func() {
		if !placed {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
		}
	}()
	if err := fill(tmp); err != nil {
		return err
	}
	if err := commit(tmp, path, opts); err != nil {
		return err
	}
	placed = true
	return nil
}

func commit(tmp *os.File, path string, opts WriteOptions) error {
	mode := opts.Mode
	if mode == 0 {
		mode = 0o644
	}
	if err := tmp.Chmod(mode); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := tmp.Sync(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if opts.Replace {
		return os.Rename(tmp.Name(), path)
	}
	// link(2) fails where the name exists, rename(2) would replace it.
	if err := os.Link(tmp.Name(), path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", path, ErrExists)
		}
		return os.Rename(tmp.Name(), path) // a file system without links
	}
	return os.Remove(tmp.Name())
}
