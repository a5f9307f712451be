// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestEnds: whatever ends the sandbox or what it serves, no process stays.
func TestEnds(t *testing.T) {
	for name, end := range map[string]struct {
		signal syscall.Signal
		toSelf bool // to the sandbox; to the shell that started it otherwise
	}{
		"parent ends":       {syscall.SIGTERM, false},
		"parent is killed":  {syscall.SIGKILL, false},
		"sandbox is ended":  {syscall.SIGTERM, true},
		"sandbox is killed": {syscall.SIGKILL, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shell, env := startUnderShell(t)
			pids := append(children(t, env.pid(t)), env.pid(t))
			if len(pids) < 2 {
				t.Fatalf("got processes %v, want the sandbox and its log server", pids)
			}
			victim := shell.Process.Pid
			if end.toSelf {
				victim = env.pid(t)
			}
			if err := syscall.Kill(victim, end.signal); err != nil {
				t.Fatal(err)
			}
			for _, pid := range pids {
				eventually(t, fmt.Sprintf("process %d ends", pid), func() bool { return !running(pid) })
			}
			if _, err := os.Stat(filepath.Join(env["SANDBOX_STATE"], "env")); err == nil && end.signal != syscall.SIGKILL {
				t.Error("file env outlives the sandbox")
			}
		})
	}
}

// TestServerFails: a sandbox of which a part is gone ends, and says which.
func TestServerFails(t *testing.T) {
	env, cmd := startSandbox(t)
	for _, pid := range children(t, env.pid(t)) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	err := cmd.Wait()
	stderr, _ := cmd.Stderr.(*bytes.Buffer)
	if err == nil || !strings.Contains(stderr.String(), "rekor-server ended") {
		t.Errorf("got %v, %q, want a failure that names the server", err, stderr)
	}
}

func TestTimeout(t *testing.T) {
	_, cmd := startSandbox(t, "--timeout", "3s")
	if err := cmd.Wait(); err != nil {
		t.Errorf("got %v, want a clean end", err)
	}
}

func TestNoParent(t *testing.T) {
	out, err := program(t, "up", "--state", t.TempDir(), "--parent-pid", "4194304").CombinedOutput() // above the highest number
	if err == nil || !bytes.Contains(out, []byte("no such process")) {
		t.Errorf("got %v, %q", err, out)
	}
}

// startUnderShell starts a sandbox as the child of a shell and waits for its file env.
func startUnderShell(t *testing.T) (*exec.Cmd, environ) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "state")
	shell := exec.CommandContext(t.Context(), "sh", "-c", `"$0" up --state "$1" >/dev/null 2>&1 & wait`, executable(t), folder)
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shell.Wait() })
	var env environ
	eventually(t, "file env appears", func() bool {
		text, err := os.ReadFile(filepath.Join(folder, "env"))
		if err != nil {
			return false
		}
		env, err = readEnviron(bytes.NewReader(text))
		return err == nil
	})
	return shell, env
}

// stat returns the fields of proc(5) stat after the command name: state, parent, ….
func stat(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
}

// running is false for a process that is gone or has only to be collected.
func running(pid int) bool {
	fields := stat(pid)
	return len(fields) > 0 && fields[0] != "Z"
}

func children(t *testing.T, parent int) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Skip("needs /proc")
	}
	var found []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if fields := stat(pid); len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			found = append(found, pid)
		}
	}
	return found
}

// listening names the TCP addresses on which a process waits for connections.
func listening(t *testing.T, pid int) []string {
	t.Helper()
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	sockets := map[string]bool{}
	for _, entry := range entries {
		link, err := os.Readlink(filepath.Join(folder, entry.Name()))
		if inode, ok := strings.CutPrefix(link, "socket:["); err == nil && ok {
			sockets[strings.TrimSuffix(inode, "]")] = true
		}
	}
	var addresses []string
	for _, table := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile("/proc/net/" + table)
		if err != nil {
			continue // no IPv6 here
		}
		for line := range strings.Lines(string(text)) {
			const local, status, inode, listen = 1, 3, 9, "0A"
			fields := strings.Fields(line)
			if len(fields) > inode && fields[status] == listen && sockets[fields[inode]] {
				addresses = append(addresses, decodeAddress(t, fields[local]))
			}
		}
	}
	return addresses
}

// decodeAddress reads an address of /proc/net/tcp: 32-bit words in host order, then the port.
func decodeAddress(t *testing.T, text string) string {
	t.Helper()
	host, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	if err != nil {
		t.Fatal(err)
	}
	ip := make(net.IP, len(raw))
	for i := 0; i+4 <= len(raw); i += 4 {
		binary.BigEndian.PutUint32(ip[i:], binary.NativeEndian.Uint32(raw[i:]))
	}
	number, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort(ip.String(), strconv.FormatUint(number, 10))
}
