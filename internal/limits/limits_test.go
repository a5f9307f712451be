// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package limits_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/chartsign/chartsign/internal/limits"
)

func TestRead(t *testing.T) {
	for size, ok := range map[int]bool{0: true, 9: true, 10: true, 11: false, 1000: false} {
		got, err := limits.Read(strings.NewReader(strings.Repeat("x", size)), 10, "it")
		if ok && (err != nil || len(got) != size) {
			t.Errorf("%d bytes: got %d bytes and %v, want all of them", size, len(got), err)
		}
		if !ok && (!errors.Is(err, limits.ErrTooLarge) || got != nil) {
			t.Errorf("%d bytes: got %d bytes and %v, want none and ErrTooLarge", size, len(got), err)
		}
	}
}

type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	e.read += int64(len(p))
	return len(p), nil
}

// A stream without end costs no more than the cap.
func TestReadEndless(t *testing.T) {
	source := new(endless)
	got, err := limits.Read(source, 1<<20, "it")
	if !errors.Is(err, limits.ErrTooLarge) || got != nil {
		t.Errorf("got %d bytes and %v, want ErrTooLarge", len(got), err)
	}
	if source.read > 1<<20+1 {
		t.Errorf("got %d bytes read, want at most one above the cap", source.read)
	}
}

func TestReadPassesErrors(t *testing.T) {
	got, err := limits.Read(io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrClosedPipe)), 10, "the thing")
	if !errors.Is(err, io.ErrClosedPipe) || got != nil {
		t.Errorf("got %q and %v, want no data and the error", got, err)
	}
	if errors.Is(err, limits.ErrTooLarge) || !strings.Contains(err.Error(), "the thing") {
		t.Errorf("got %v, want an error that names the thing and is not ErrTooLarge", err)
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	must(t, os.WriteFile(path, []byte("0123456789"), 0o600))
	got, err := limits.ReadFile(path, 10)
	if err != nil || !bytes.Equal(got, []byte("0123456789")) {
		t.Errorf("got %q and %v, want the content", got, err)
	}
	if _, err := limits.ReadFile(path, 9); !errors.Is(err, limits.ErrTooLarge) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want ErrTooLarge with the path", err)
	}
	link := filepath.Join(dir, "link")
	must(t, os.Symlink(path, link))
	if _, err := limits.ReadFile(link, 10); err != nil {
		t.Errorf("a link to a file: got %v, want its content", err)
	}
	if _, err := limits.ReadFile(filepath.Join(dir, "none"), 10); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}

// A path in a file may name a device that never ends or a pipe that never begins.
func TestReadFileRefusesOtherTypes(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	must(t, syscall.Mkfifo(pipe, 0o600))
	link := filepath.Join(dir, "link")
	must(t, os.Symlink("/dev/zero", link))
	for _, path := range []string{dir, pipe, "/dev/zero", link} {
		if _, err := limits.ReadFile(path, 10); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: got %v, want a refusal", path, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
