// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"
)

// testConsole is a world with the given environment, and nothing to read.
func testConsole(environment map[string]string) *console {
	return &console{getenv: func(name string) string { return environment[name] }}
}

// testApp is the command in such a world.
func testApp(environment map[string]string) *cli.App { return newApp(testConsole(environment)) }

// TestPermute: flags may stand behind the chart, and nothing else changes its place.
func TestPermute(t *testing.T) {
	app := testApp(nil)
	for line, want := range map[string]string{
		"verify a.tgz":                                "verify -- a.tgz",
		"verify a.tgz --keyring k":                    "verify --keyring k -- a.tgz",
		"verify --keyring k a.tgz":                    "verify --keyring k -- a.tgz",
		"verify a.tgz --keyring=k b.tgz":              "verify --keyring=k -- a.tgz b.tgz",
		"verify a.tgz -o json b.tgz":                  "verify -o json -- a.tgz b.tgz",
		"verify a.tgz -o=json":                        "verify -o=json -- a.tgz",
		"verify a.tgz --quiet b.tgz":                  "verify --quiet -- a.tgz b.tgz",
		"verify a.tgz --quiet=false b.tgz":            "verify --quiet=false -- a.tgz b.tgz",
		"verify a.tgz -quiet b.tgz":                   "verify -quiet -- a.tgz b.tgz",
		"verify a.tgz --jobs -1":                      "verify --jobs -1 -- a.tgz",
		"verify a.tgz --timeout 5s":                   "verify --timeout 5s -- a.tgz",
		"verify a.tgz --unknown b.tgz":                "verify --unknown -- a.tgz b.tgz",
		"verify --quiet -- --keyring a.tgz":           "verify --quiet -- --keyring a.tgz",
		"verify a.tgz -- --insecure-skip-tls-verify":  "verify -- a.tgz --insecure-skip-tls-verify",
		"verify -- a.tgz -- b.tgz":                    "verify -- a.tgz -- b.tgz",
		"verify -":                                    "verify -- -",
		"verify a.tgz --identity-token -":             "verify --identity-token -- a.tgz -",
		"sign a.tgz --identity-token - --force":       "sign --identity-token - --force -- a.tgz",
		"verify a.tgz --keyring --":                   "verify --keyring -- -- a.tgz",
		"verify a.tgz --keyring":                      "verify --keyring",
		"verify a.tgz -o":                             "verify -o",
		"verify --help":                               "verify --help --",
		"verify a.tgz --generate-bash-completion":     "verify a.tgz --generate-bash-completion",
		"unknown a.tgz --keyring k":                   "unknown a.tgz --keyring k",
		"--keyring k verify a.tgz":                    "--keyring k verify a.tgz",
		"pull oci://h/r:1 -d x --prov --username me":  "pull -d x --prov --username me -- oci://h/r:1",
		"verify a.tgz --keyring k --keyring l --prov": "verify --keyring k --keyring l --prov",
	} {
		got := permute(app, append([]string{"chartsign"}, strings.Fields(line)...))
		if diff := cmp.Diff(want, strings.Join(got[1:], " ")); diff != "" {
			t.Errorf("permute %q (-want +got):\n%s", line, diff)
		}
	}
	for _, args := range [][]string{nil, {"chartsign"}} {
		if diff := cmp.Diff(args, permute(app, args)); diff != "" {
			t.Errorf("permute %q (-want +got):\n%s", args, diff)
		}
	}
}
