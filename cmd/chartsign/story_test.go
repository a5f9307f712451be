// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the expected output of stories and docs/cli anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"chartsign": main})
}

// TestStories runs testdata/script: a user story each, on the real command, against a real
// registry and a Sigstore in memory on loopback.
func TestStories(t *testing.T) {
	t.Parallel()
	data, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join(data, "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DATA", data)
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "home", "config"))
			env.Setenv("FPR", fingerprintOf(t, data, "release"))
			env.Setenv("FPR_MAINTAINER", fingerprintOf(t, data, "maintainer"))
			env.Setenv("NOW", time.Now().UTC().Format(time.RFC3339))
			return os.MkdirAll(filepath.Join(env.WorkDir, "home", "config", "chartsign"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"registry": startRegistry,
			"requests": countRequests,
			"fault":    injectFault,
			"sigstore": startSigstore,
			"token":    mintToken,
			"sigfault": failService,
			"tamper":   tamper,
			"cut":      cut,
		},
	})
}

// fingerprintOf returns that of a test key's primary key.
func fingerprintOf(tb testing.TB, data, name string) string {
	tb.Helper()
	lines, err := os.ReadFile(filepath.Join(data, "keys", "fingerprints.txt"))
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(lines)) {
		if fields := strings.Fields(line); len(fields) == 4 && fields[0] == name && fields[1] == "pub" {
			return fields[3]
		}
	}
	tb.Fatalf("no test key is named %q", name)
	return ""
}

// exits CODE COMMAND ARG… runs a command and requires the exact exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code: got %d, want %d", got, want)
	}
}

// cut FROM TO writes the first half of a file.
func cut(ts *testscript.TestScript, _ bool, args []string) {
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data[:len(data)/2], 0o600))
}

// tamper FILE changes the byte in the middle of a file.
func tamper(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	data[len(data)/2] ^= 0x01
	ts.Check(os.WriteFile(path, data, 0o600))
}
