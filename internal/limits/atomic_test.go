// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package limits_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign/internal/limits"
)

// content returns name → content of all files in dir, temporary ones too.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	files := make(map[string]string)
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		must(t, err)
		files[entry.Name()] = string(data)
	}
	return files
}

func wantContent(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, content(t, dir)); diff != "" {
		t.Errorf("folder (-want +got):\n%s", diff)
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	must(t, limits.WriteFile(path, []byte("new"), limits.WriteOptions{}))
	wantContent(t, dir, map[string]string{"out": "new"})

	err := limits.WriteFile(path, []byte("newer"), limits.WriteOptions{})
	if !errors.Is(err, limits.ErrExists) {
		t.Errorf("got %v, want ErrExists", err)
	}
	wantContent(t, dir, map[string]string{"out": "new"})

	must(t, limits.WriteFile(path, []byte("newest"), limits.WriteOptions{Replace: true}))
	wantContent(t, dir, map[string]string{"out": "newest"})
}

func TestWriteFileMode(t *testing.T) {
	dir := t.TempDir()
	for want, mode := range map[fs.FileMode]fs.FileMode{0o644: 0, 0o600: 0o600, 0o755: 0o755} {
		for _, replace := range []bool{false, true} {
			path := filepath.Join(dir, fmt.Sprintf("%o-%t", mode, replace))
			must(t, limits.WriteFile(path, nil, limits.WriteOptions{Mode: mode, Replace: replace}))
			info, err := os.Stat(path)
			must(t, err)
			if got := info.Mode(); got != want {
				t.Errorf("mode %o: got %o, want %o", mode, got, want)
			}
		}
	}
}

// A secret is never readable by others, not even while it is written.
func TestWriteStreamModeWhileWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	must(t, limits.WriteStream(path, limits.WriteOptions{Mode: 0o600}, func(w io.Writer) error {
		file, ok := w.(*os.File)
		if !ok {
			return fmt.Errorf("got a %T, want a file", w)
		}
		info, err := file.Stat()
		if err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("got mode %o while writing, want 600", info.Mode().Perm())
		}
		return err
	}))
}

func TestWriteStreamLeavesNothingBehind(t *testing.T) {
	failed := errors.New("verification failed")
	half := func(w io.Writer) error {
		_, err := io.WriteString(w, "half a chart")
		return errors.Join(err, failed)
	}
	for _, replace := range []bool{false, true} {
		dir := t.TempDir()
		err := limits.WriteStream(filepath.Join(dir, "out"), limits.WriteOptions{Replace: replace}, half)
		if !errors.Is(err, failed) {
			t.Errorf("got %v, want the error of fill", err)
		}
		wantContent(t, dir, map[string]string{})
	}

	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "out"), []byte("old"), 0o600))
	if err := limits.WriteStream(filepath.Join(dir, "out"), limits.WriteOptions{Replace: true}, half); !errors.Is(err, failed) {
		t.Errorf("got %v, want the error of fill", err)
	}
	wantContent(t, dir, map[string]string{"out": "old"})
}

func TestWriteStreamPanic(t *testing.T) {
	dir := t.TempDir()
	func() {
		defer func() { _ = recover() }()
		_ = limits.WriteStream(filepath.Join(dir, "out"), limits.WriteOptions{}, func(io.Writer) error { panic("bug") })
	}()
	wantContent(t, dir, map[string]string{})
}

// The file is not there under its name before it is whole.
func TestWriteStreamIsAtomic(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	must(t, limits.WriteStream(path, limits.WriteOptions{}, func(w io.Writer) error {
		if _, err := io.WriteString(w, "whole"); err != nil {
			return err
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v while writing, want ErrNotExist", err)
		}
		return nil
	}))
	wantContent(t, dir, map[string]string{"out": "whole"})
}

// What appears while fill runs is not overwritten.
func TestWriteStreamRace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	err := limits.WriteStream(path, limits.WriteOptions{}, func(io.Writer) error {
		return os.WriteFile(path, []byte("theirs"), 0o600)
	})
	if !errors.Is(err, limits.ErrExists) {
		t.Errorf("got %v, want ErrExists", err)
	}
	wantContent(t, dir, map[string]string{"out": "theirs"})
}

func TestWriteFileManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	var written, refused atomic.Int32
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			switch err := limits.WriteFile(path, []byte("one of us"), limits.WriteOptions{}); {
			case err == nil:
				written.Add(1)
			case errors.Is(err, limits.ErrExists):
				refused.Add(1)
			default:
				t.Errorf("got %v, want nil or ErrExists", err)
			}
		})
	}
	group.Wait()
	if written.Load() != 1 || refused.Load() != 15 {
		t.Errorf("got %d written and %d refused, want 1 and 15", written.Load(), refused.Load())
	}
	wantContent(t, dir, map[string]string{"out": "one of us"})
}

// Work whose result could not be kept is not begun.
func TestWriteStreamRefusesBeforeItFills(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	must(t, limits.WriteFile(path, nil, limits.WriteOptions{}))
	err := limits.WriteStream(path, limits.WriteOptions{}, func(io.Writer) error {
		t.Error("got fill called, want ErrExists before it")
		return nil
	})
	if !errors.Is(err, limits.ErrExists) {
		t.Errorf("got %v, want ErrExists", err)
	}
}

// A link is replaced itself; what it points to stays as it is.
func TestWriteFileAndLinks(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	target := filepath.Join(elsewhere, "target")
	must(t, os.WriteFile(target, []byte("precious"), 0o600))
	path := filepath.Join(dir, "out")
	must(t, os.Symlink(target, path))
	if err := limits.WriteFile(path, []byte("new"), limits.WriteOptions{}); !errors.Is(err, limits.ErrExists) {
		t.Errorf("got %v, want ErrExists", err)
	}
	must(t, limits.WriteFile(path, []byte("new"), limits.WriteOptions{Replace: true}))
	wantContent(t, dir, map[string]string{"out": "new"})
	wantContent(t, elsewhere, map[string]string{"target": "precious"})

	must(t, os.Remove(path))
	must(t, os.Symlink(filepath.Join(elsewhere, "none"), path))
	if err := limits.WriteFile(path, []byte("new"), limits.WriteOptions{}); !errors.Is(err, limits.ErrExists) {
		t.Errorf("a dangling link: got %v, want ErrExists", err)
	}
	wantContent(t, elsewhere, map[string]string{"target": "precious"})
}

func TestWriteFileFails(t *testing.T) {
	dir := t.TempDir()
	if err := limits.WriteFile(filepath.Join(dir, "none", "out"), nil, limits.WriteOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: got %v, want ErrNotExist", err)
	}
	must(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	if err := limits.WriteFile(filepath.Join(dir, "folder"), nil, limits.WriteOptions{Replace: true}); err == nil {
		t.Error("a folder in its place: got no error")
	}
	must(t, os.Remove(filepath.Join(dir, "folder")))
	wantContent(t, dir, map[string]string{})
}
