// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestOpenTwice(t *testing.T) {
	path := t.TempDir()
	first, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrInUse) {
		t.Errorf("second: got %v, want %v", err, ErrInUse)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(path)
	if err != nil {
		t.Fatalf("after the first ended: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenKeepsForeignFiles(t *testing.T) {
	path := t.TempDir()
	for _, name := range []string{"notes.txt", EnvFile} {
		if err := os.WriteFile(filepath.Join(path, name), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(path); !errors.Is(err, ErrForeign) {
		t.Errorf("got %v, want %v", err, ErrForeign)
	}
	if err := os.Remove(filepath.Join(path, EnvFile)); err != nil {
		t.Fatal(err)
	}
	dir, err := Open(path)
	if err != nil {
		t.Fatalf("a folder with other files: %v", err)
	}
	defer dir.Close()
	if text, err := os.ReadFile(filepath.Join(path, "notes.txt")); err != nil || string(text) != "mine" {
		t.Errorf("foreign file: got %q, %v", text, err)
	}
}

func TestOpenClears(t *testing.T) {
	path := t.TempDir()
	dir, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	left := []string{dir.Path(EnvFile), dir.Path(KeyFolder, "old.key"), dir.LogPath("old")}
	for _, file := range left {
		if err := WriteFile(file, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := dir.lock.Close(); err != nil { // as after a crash
		t.Fatal(err)
	}
	dir, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	for _, file := range left {
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s is left over", file)
		}
	}
}
