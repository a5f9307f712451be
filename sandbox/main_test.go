// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be the program: tests start it as a process of its own,
// and so does the sandbox for its log server. The go command always passes a flag first.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		main()
		return
	}
	os.Exit(m.Run())
}

// patience is for busy machines; nothing here takes a tenth of it otherwise.
const patience = 30 * time.Second

// environ is what a started sandbox says of itself.
type environ map[string]string

func (e environ) pid(t *testing.T) int {
	t.Helper()
	pid, err := strconv.Atoi(e["SANDBOX_PID"])
	if err != nil {
		t.Fatalf("SANDBOX_PID: %v", err)
	}
	return pid
}

// program is a command that runs this binary as the sandbox.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), executable(t), args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd
}

func executable(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// startSandbox runs `up` in a fresh folder until the test ends.
func startSandbox(t *testing.T, args ...string) (environ, *exec.Cmd) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "state")
	cmd := program(t, append([]string{"up", "--state", folder}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	env, err := readEnviron(stdout) // ends once the sandbox is ready: it closes its output
	if err != nil || len(env) == 0 {
		t.Fatalf("sandbox does not start: %v\n%s", err, stderr.String())
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	return env, cmd
}

func readEnviron(r io.Reader) (environ, error) {
	env := environ{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		assignment, ok := strings.CutPrefix(lines.Text(), "export ")
		name, value, found := strings.Cut(assignment, "=")
		if !ok || !found {
			return nil, fmt.Errorf("got line %q, want export NAME=value", lines.Text())
		}
		env[name] = value
	}
	return env, lines.Err()
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// get returns status and body of an answer.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}
