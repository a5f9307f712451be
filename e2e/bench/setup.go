// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// bench is a started sandbox with a signed chart in it.
type bench struct {
	chartsign, sandbox, helm, cosign string
	data, work, state                string
	env                              map[string]string
	process                          *exec.Cmd
}

const (
	identity       = "pipeline@chartsign.test"
	startupTimeout = 30 * time.Second
)

func newBench(data string) (*bench, error) {
	b := &bench{chartsign: os.Getenv("CHARTSIGN_BIN"), sandbox: os.Getenv("SANDBOX_BIN"), env: make(map[string]string)}
	if b.chartsign == "" || b.sandbox == "" {
		return nil, fmt.Errorf("CHARTSIGN_BIN and SANDBOX_BIN are not set: 'make bench' sets them")
	}
	var err error
	if b.helm, err = exec.LookPath("helm"); err != nil {
		return nil, err
	}
	if b.cosign, err = exec.LookPath("cosign"); err != nil {
		return nil, err
	}
	if b.data, err = filepath.Abs(data); err != nil {
		return nil, err
	}
	if b.work, err = os.MkdirTemp("", "chartsign-bench-"); err != nil {
		return nil, err
	}
	b.state = filepath.Join(b.work, "sandbox")
	for _, program := range []*string{&b.chartsign, &b.helm, &b.cosign} {
		if *program, err = b.install(*program); err != nil {
			return nil, err
		}
	}
	err = b.start()
	return b, err
}

// install copies a program, as an installation does. How much of a file is mapped at once
// depends on how it was written, and a linker writes otherwise than a copy.
func (b *bench) install(program string) (string, error) {
	from, err := os.Open(program)
	if err != nil {
		return "", err
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(b.work, filepath.Base(program)), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o700)
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(to, from); err != nil { // not in memory: a child's peak begins with its parent's
		return "", errors.Join(err, to.Close())
	}
	return to.Name(), to.Close()
}

func (b *bench) start() error {
	b.process = exec.Command(b.sandbox, "up", "--state", b.state, "--parent-pid", strconv.Itoa(os.Getpid())) //nolint:noctx // our own program
	if err := b.process.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(startupTimeout); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if exports, err := os.ReadFile(filepath.Join(b.state, "env")); err == nil {
			for line := range strings.Lines(string(exports)) {
				name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
				b.env[name] = strings.Trim(value, "'\"")
			}
			return nil
		}
	}
	b.close()
	return fmt.Errorf("the sandbox did not start within %s", startupTimeout)
}

func (b *bench) close() {
	if b.process != nil && b.process.Process != nil {
		_ = b.process.Process.Signal(os.Interrupt)
		_ = b.process.Wait()
	}
	_ = os.RemoveAll(b.work)
}

func (b *bench) chart() string { return filepath.Join(b.work, "guestbook-1.4.2.tgz") }

// remote returns where the chart is, without a scheme.
func (b *bench) remote() string {
	return b.env["SANDBOX_REGISTRY_REFERRERS"] + "/charts/guestbook:1.4.2"
}

// prepare signs the chart both ways: with a .prov beside it, and keyless in the registry.
func (b *bench) prepare() error {
	archive, err := os.ReadFile(filepath.Join(b.data, "charts", "guestbook-1.4.2.tgz"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(b.chart(), archive, 0o600); err != nil {
		return err
	}
	token, err := exec.Command(b.sandbox, "token", "--issuer", b.env["SANDBOX_OIDC_ISSUER"], "--email", identity).Output() //nolint:noctx // our own program
	if err != nil {
		return err
	}
	tokenFile := filepath.Join(b.work, "token")
	if err := os.WriteFile(tokenFile, token, 0o600); err != nil {
		return err
	}
	for _, args := range [][]string{
		{
			"push", b.chart(), "oci://" + b.env["SANDBOX_REGISTRY_REFERRERS"] + "/charts", "--plain-http", "--keyless", "--identity-token", "@" + tokenFile,
			"--signing-config", b.env["SANDBOX_SIGNING_CONFIG"], "--trusted-root", b.env["SANDBOX_TRUSTED_ROOT"],
		},
		{"sign", b.chart(), "--pgp-key", "release@chartsign.test", "--keyring", filepath.Join(b.data, "keys", "release.sec.asc")},
	} {
		if _, err := measure(append([]string{b.chartsign}, args...), nil); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) pairs() []pair {
	ring := filepath.Join(b.data, "keys", "release.pub.gpg")
	return []pair{
		{
			name: "verify CHART.tgz (.prov) : helm",
			ours: []string{b.chartsign, "verify", b.chart(), "--keyring", ring}, peers: []string{b.helm, "verify", b.chart(), "--keyring", ring},
		},
		b.keyless(),
	}
}

func (b *bench) keyless() pair {
	return pair{
		name: "verify oci:// (keyless) : cosign",
		ours: []string{
			b.chartsign, "verify", "oci://" + b.remote(), "--plain-http", "--trusted-root", b.env["SANDBOX_TRUSTED_ROOT"],
			"--certificate-identity", identity, "--certificate-oidc-issuer", b.env["SANDBOX_OIDC_ISSUER"],
		},
		peers: []string{
			b.cosign, "verify", "--allow-http-registry", "--trusted-root", b.env["SANDBOX_TRUSTED_ROOT"],
			"--certificate-identity", identity, "--certificate-oidc-issuer", b.env["SANDBOX_OIDC_ISSUER"], b.remote(),
		},
		env: []string{"HOME=" + b.work, "DOCKER_CONFIG=" + b.work},
	}
}
