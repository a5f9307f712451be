// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestStories tells each story once, on the registry without the Referrers API.
func TestStories(t *testing.T) {
	t.Parallel()
	tell(t, "testdata/script", map[string]string{"HOST": lab.env["SANDBOX_REGISTRY"]})
}

// TestRegistryStories tells each story once for each way in which a registry lists referrers.
func TestRegistryStories(t *testing.T) {
	t.Parallel()
	for name, vars := range map[string]map[string]string{
		"fallback_tag":  {"HOST": lab.env["SANDBOX_REGISTRY"], "VIA": "fallback-tag", "SOURCE": "fallback-tag"},
		"referrers_api": {"HOST": lab.env["SANDBOX_REGISTRY_REFERRERS"], "VIA": "referrers-api", "SOURCE": "referrer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tell(t, "testdata/script/registry", vars)
		})
	}
}

func tell(t *testing.T, dir string, vars map[string]string) {
	t.Helper()
	data, err := filepath.Abs("../testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               func(env *testscript.Env) error { return setUp(t, env, data, vars) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"honest":   judgeHonest,
			"hostile":  judgeHostile,
			"capture":  capture,
			"tamper":   tamper,
			"edit":     edit,
			"graft":    graft,
			"genkey":   genkey,
			"turncoat": serveTurncoat,
			"guarded":  serveGuarded,
			"asked":    writeAsked,
		},
	})
}

// setUp gives a story a life of its own: nothing of the machine's user is seen or changed.
func setUp(t *testing.T, env *testscript.Env, data string, vars map[string]string) error {
	t.Helper()
	home := filepath.Join(env.WorkDir, ".home")
	gnupg, err := gnupgHome(env)
	if err != nil {
		return err
	}
	story := strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")
	for name, value := range map[string]string{
		"PATH": lab.path, "HOME": home, "GNUPGHOME": gnupg, "LC_ALL": "C", "TZ": "UTC",
		"XDG_CONFIG_HOME": home + "/config", "XDG_CACHE_HOME": home + "/cache", "XDG_DATA_HOME": home + "/data",
		"HELM_CONFIG_HOME": home + "/helm/config", "HELM_CACHE_HOME": home + "/helm/cache", "HELM_DATA_HOME": home + "/helm/data",
		"DOCKER_CONFIG": home + "/docker", "TUF_ROOT": home + "/tuf", "SIGSTORE_NO_CACHE": "true",
		"HTTP_PROXY": lab.outside.server.URL, "HTTPS_PROXY": lab.outside.server.URL,
		"http_proxy": lab.outside.server.URL, "https_proxy": lab.outside.server.URL,
		"CHARTSIGN_PLAIN_HTTP": "true",
		"DATA":                 data, "STORY": story, "R": vars["HOST"] + "/" + story,
		"ISSUER": lab.env["SANDBOX_OIDC_ISSUER"], "GITHUB": lab.env["SANDBOX_OIDC_ISSUER_GITHUB"],
		"SANDBOX_OIDC_ISSUER": lab.env["SANDBOX_OIDC_ISSUER"],
		"FULCIO":              lab.env["SANDBOX_FULCIO_URL"], "TSA": lab.env["SANDBOX_TSA_URL"],
		"FPR": fingerprintOf(t, data, "release"), "FPR_MAINTAINER": fingerprintOf(t, data, "maintainer"),
	} {
		env.Setenv(name, value)
	}
	for name, value := range vars {
		env.Setenv(name, value)
	}
	for variable, name := range map[string]string{"SANDBOX_TRUSTED_ROOT": "trusted_root.json", "SANDBOX_SIGNING_CONFIG": "signing_config.json"} {
		content, err := os.ReadFile(lab.env[variable])
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(env.WorkDir, name), content, 0o600); err != nil {
			return err
		}
	}
	return os.MkdirAll(home, 0o700)
}

// gnupgHome makes one whose path is short enough for the agent's socket, and ends the agent
// that gpg may start in it.
func gnupgHome(env *testscript.Env) (string, error) {
	dir, err := os.MkdirTemp("", "gpg")
	if err != nil {
		return "", err
	}
	env.Defer(func() {
		_ = exec.Command("gpgconf", "--homedir", dir, "--kill", "all").Run() // there may be none
		_ = os.RemoveAll(dir)
	})
	return dir, nil
}

// fingerprintOf returns that of a test key's primary key.
func fingerprintOf(t *testing.T, data, name string) string {
	t.Helper()
	lines, err := os.ReadFile(filepath.Join(data, "keys", "fingerprints.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(lines)) {
		if fields := strings.Fields(line); len(fields) == 4 && fields[0] == name && fields[1] == "pub" {
			return fields[3]
		}
	}
	t.Fatalf("no test key is named %q", name)
	return ""
}
