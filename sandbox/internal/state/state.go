// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package state owns the folder in which a sandbox keeps its keys, logs and storage.
//
// One sandbox uses a folder at a time; the folder is locked while it runs. A new run starts
// from nothing: whatever an earlier run left is removed. A folder with files that look like
// ours but were not made by a sandbox is refused, so that no foreign file is ever removed.
package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Names of what stands in the folder.
const (
	EnvFile           = "env"
	TrustedRootFile   = "trusted_root.json"
	SigningConfigFile = "signing_config.json"
	KeyFolder         = "pki"
	LogFolder         = "logs"
	RekorFolder       = "rekor"

	marker = ".sandbox"
)

// Errors of Open.
var (
	ErrInUse   = errors.New("another sandbox runs in this folder")
	ErrForeign = errors.New("folder holds files that no sandbox made")
)

// Dir is an open and locked state folder.
type Dir struct {
	path string
	lock *os.File
}

// Open makes the folder if need be, locks it and clears what an earlier run left in it.
func Open(path string) (*Dir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	d := &Dir{path: abs}
	if err := d.claim(); err != nil {
		return nil, fmt.Errorf("state folder %s: %w", abs, err)
	}
	return d, nil
}

// Path names a file of the folder.
func (d *Dir) Path(elem ...string) string {
	return filepath.Join(append([]string{d.path}, elem...)...)
}

// LogPath names the log file of a server.
func (d *Dir) LogPath(server string) string { return d.Path(LogFolder, server+".log") }

// Log opens the log file of a server for appending.
func (d *Dir) Log(server string) (*os.File, error) {
	f, err := os.OpenFile(d.LogPath(server), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", server, err)
	}
	return f, nil
}

// Close removes the environment file, which describes servers that are gone now, and
// gives the folder up. All else stays for whoever wants to look at it.
func (d *Dir) Close() error {
	err := os.Remove(d.Path(EnvFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, d.lock.Close())
}

// claim locks the folder through its marker file, then clears it.
func (d *Dir) claim() error {
	if err := d.refuseForeign(); err != nil {
		return err
	}
	lock, err := os.OpenFile(d.Path(marker), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return errors.Join(ErrInUse, lock.Close())
	}
	d.lock = lock
	if err := d.clear(); err != nil {
		return errors.Join(err, lock.Close())
	}
	return nil
}

func (d *Dir) refuseForeign() error {
	if _, err := os.Lstat(d.Path(marker)); err == nil {
		return nil
	}
	for _, name := range contents() {
		if _, err := os.Lstat(d.Path(name)); err == nil {
			return fmt.Errorf("%w: %s", ErrForeign, name)
		}
	}
	return nil
}

func (d *Dir) clear() error {
	for _, name := range contents() {
		if err := os.RemoveAll(d.Path(name)); err != nil {
			return err
		}
	}
	for _, name := range []string{KeyFolder, LogFolder, RekorFolder} {
		if err := os.Mkdir(d.Path(name), 0o700); err != nil {
			return err
		}
	}
	return nil
}

func contents() []string {
	return []string{EnvFile, TrustedRootFile, SigningConfigFile, KeyFolder, LogFolder, RekorFolder}
}

// WriteFile writes a file in one step: a reader sees the old file, the new one or none,
// and never a part.
func WriteFile(path string, data []byte, perm fs.FileMode) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(tmp.Name())))
		}
	}()
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Chmod(perm), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
