// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package parent tells when the process that a sandbox serves has ended.
package parent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNoProcess says that there is nothing to watch.
var ErrNoProcess = errors.New("no such process")

// Self is the process that started this one; 0 when it is gone already or is the first
// process of the machine, both of which cannot be watched.
func Self() int {
	if pid := os.Getppid(); pid > 1 {
		return pid
	}
	return 0
}

// Gone returns a channel that is closed once the process has ended; it looks every
// interval until ctx ends. The process may be any, not only our own parent.
func Gone(ctx context.Context, pid int, interval time.Duration) (<-chan struct{}, error) {
	alive := watch(pid)
	if !alive() {
		return nil, fmt.Errorf("process %d: %w", pid, ErrNoProcess)
	}
	gone := make(chan struct{})
	go func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for alive() {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
		close(gone)
	}()
	return gone, nil
}

// watch returns how to tell whether a process lives. Of our own parent the kernel tells
// at once, by giving us another; of others we see whether number and start time are there.
func watch(pid int) (alive func() bool) {
	if pid == os.Getppid() {
		return func() bool { return os.Getppid() == pid }
	}
	_, born := look(pid)
	return func() bool {
		state, start := look(pid)
		return exists(pid) && start == born && state != "Z"
	}
}

func exists(pid int) bool {
	err := unix.Kill(pid, 0)
	return err == nil || errors.Is(err, unix.EPERM)
}

// look reads the state of a process (Z: it has ended and was not collected yet) and the
// moment it began, which tells it from a later one with the same number. Both are empty
// when there is no such process, and on systems without /proc.
func look(pid int) (state, start string) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", ""
	}
	// proc(5): the name in parentheses may hold anything. After it come the third field,
	// the state, and so on; the start time is the twenty-second.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const stateField, startField = 0, 22 - 3
	if len(fields) <= startField {
		return "", ""
	}
	return string(fields[stateField]), string(fields[startField])
}
