// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"
)

// testTime is when unit tests judge.
var testTime = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// configured runs a verify whose action is check, in a folder with the two files; empty ones
// are not written.
func configured(t *testing.T, local, user string, args []string, check func(*cli.Context)) error {
	t.Helper()
	folder := t.TempDir()
	t.Chdir(folder)
	home := filepath.Join(folder, "home")
	write := func(path, text string) {
		if text == "" {
			return
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(localConfig, local)
	write(filepath.Join(home, ".config", "chartsign", "config.yaml"), user)
	app := testApp(map[string]string{"HOME": home})
	app.Command("verify").Action = func(c *cli.Context) error {
		check(c)
		return nil
	}
	return app.RunContext(t.Context(), append([]string{"chartsign", "verify"}, args...))
}

// TestLocalConfigCannotConfigureItsOwnGate: what comes with a pull request sets output and
// registry flags, and no other flag of any command.
func TestLocalConfigCannotConfigureItsOwnGate(t *testing.T) {
	names := map[string]bool{}
	for _, command := range testApp(nil).Commands {
		for _, flag := range command.Flags {
			names[flag.Names()[0]] = true
		}
	}
	for _, must := range []string{"trust", "keyring", "signer", "key", "policy", "require", "helm-compat", "effective-time", "trusted-root", "as", "prov", "bundle", "username", "insecure-skip-tls-verify"} {
		if !names[must] || slices.Contains(localFlags, must) {
			t.Errorf("flag %q: exists %t, may be set by a local file %t", must, names[must], slices.Contains(localFlags, must))
		}
	}
	for name := range names {
		err := configured(t, name+": \"1\"\n", "", nil, func(*cli.Context) {})
		if allowed := slices.Contains(localFlags, name); err != nil && strings.Contains(err.Error(), "may not be set") == allowed && !strings.HasPrefix(name, "insecure") {
			t.Errorf("%s in a local file: got %v", name, err)
		} else if err == nil && !allowed {
			t.Errorf("%s in a local file: got no error", name)
		}
	}
	for text, want := range map[string]string{
		"Keyring: [x]\n":                          "may not be set",
		"unknown: x\n":                            "may not be set",
		"output: json=/tmp/x\n":                   "where reports are written",
		"output: [text, json=x]\n":                "where reports are written",
		"output: json\noutput: yaml\n":            "duplicate key",
		"output: json\n---\nkeyring: x\n":         "several YAML documents",
		"- keyring\n":                             "cannot unmarshal",
		"insecure-skip-tls-verify: true\n":        "command line only",
		"timeout: soon\n":                         "timeout",
		"quiet: perhaps\n":                        "quiet",
		strings.Repeat("# x\n", 300_000):          "too large",
		"jobs: 1\nkeyring: [release.asc]\n":       "may not be set",
		"registry-config: x\npassword-stdin: 1\n": "may not be set",
	} {
		err := configured(t, text, "", nil, func(*cli.Context) { t.Errorf("%.40q: the command ran", text) })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want an error about %q", text, err, want)
		}
	}
}

// TestConfigPrecedence: line, then environment, then the working directory's file, then the
// user's.
func TestConfigPrecedence(t *testing.T) {
	check := func(want time.Duration) func(*cli.Context) {
		return func(c *cli.Context) {
			t.Helper()
			if got := c.Duration("timeout"); got != want {
				t.Errorf("timeout: got %s, want %s", got, want)
			}
		}
	}
	run := func(local, user string, args []string, want time.Duration) {
		t.Helper()
		if err := configured(t, local, user, args, check(want)); err != nil {
			t.Error(err)
		}
	}
	run("", "", nil, defaultTimeout)
	run("", "timeout: 4s\n", nil, 4*time.Second)
	run("timeout: 3s\n", "timeout: 4s\n", nil, 3*time.Second)
	run("timeout: 3s\n", "timeout: 4s\n", []string{"--timeout", "1s"}, time.Second)
	t.Setenv("CHARTSIGN_TIMEOUT", "2s")
	run("timeout: 3s\n", "timeout: 4s\n", nil, 2*time.Second)
	run("", "", []string{"--timeout", "1s"}, time.Second)
}

// TestUserConfig may set whatever is not insecure.
func TestUserConfig(t *testing.T) {
	err := configured(t, "", "keyring: [a.asc, b.asc]\nrequire: 2\nhelm-compat: true\noutput: json=x\n", nil, func(c *cli.Context) {
		if !slices.Equal(c.StringSlice("keyring"), []string{"a.asc", "b.asc"}) || c.String("require") != "2" || !c.Bool("helm-compat") {
			t.Errorf("got keyring %q, require %q, helm-compat %t", c.StringSlice("keyring"), c.String("require"), c.Bool("helm-compat"))
		}
	})
	if err != nil {
		t.Error(err)
	}
	for text, want := range map[string]string{"insecure-skip-tls-verify: true\n": "command line only", "keyrign: x\n": "unknown setting"} {
		if err := configured(t, "", text, nil, func(*cli.Context) {}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error about %q", text, err, want)
		}
	}
}

// TestInsecureFlagsAreOfTheLineOnly: no environment variable sets one.
func TestInsecureFlagsAreOfTheLineOnly(t *testing.T) {
	seen := 0
	for _, command := range testApp(nil).Commands {
		for _, flag := range command.Flags {
			if !strings.HasPrefix(flag.Names()[0], "insecure") {
				continue
			}
			seen++
			if documented, ok := flag.(cli.DocGenerationFlag); !ok || len(documented.GetEnvVars()) > 0 {
				t.Errorf("%s --%s can be set by the environment", command.Name, flag.Names()[0])
			}
		}
	}
	if seen == 0 {
		t.Error("got no insecure flag: the search for them is broken")
	}
}

// TestRelativeConfigHome: a relative XDG_CONFIG_HOME, or no home, does not make a file of the
// working directory the user's own.
func TestRelativeConfigHome(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{"chartsign/config.yaml", ".config/chartsign/config.yaml"} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("keyring: [evil.asc]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, environment := range []map[string]string{{"XDG_CONFIG_HOME": "."}, {"XDG_CONFIG_HOME": ".", "HOME": "."}, {"HOME": "."}, {}} {
		app := testApp(environment)
		app.Command("verify").Action = func(c *cli.Context) error {
			if got := c.StringSlice("keyring"); len(got) > 0 {
				t.Errorf("%v: got the keyring %q", environment, got)
			}
			return nil
		}
		if err := app.RunContext(t.Context(), []string{"chartsign", "verify"}); err != nil {
			t.Error(err)
		}
	}
}

func TestParseOutputs(t *testing.T) {
	for value, want := range map[string]string{
		"":                       "[{text }]",
		"json":                   "[{json }]",
		"text,json=r.json":       "[{text } {json r.json}]",
		"json=a=b.json":          "[{json a=b.json}]",
		"yaml=x,json=y,text=z":   "[{yaml x} {json y} {text z}]",
		"json=":                  "[{json }]",
		"json,yaml":              "cannot both go to standard output",
		"json,json=":             "cannot both go to standard output",
		"JSON":                   "want text, json or yaml",
		"json:x":                 "want text, json or yaml",
		"pdf=x":                  "want text, json or yaml",
		"=x":                     "want text, json or yaml",
		"text,json=r.json,sarif": "want text, json or yaml",
	} {
		var args []string
		for one := range strings.SplitSeq(value, ",") {
			args = append(args, "-o", one)
		}
		err := configured(t, "", "", args, func(c *cli.Context) {
			outputs, err := parseOutputs(c)
			got := fmt.Sprint(outputs)
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, want) {
				t.Errorf("-o %q: got %s, want %s", value, got, want)
			}
		})
		if err != nil {
			t.Errorf("-o %q: %v", value, err)
		}
	}
}
