// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience is how long a server may take to start or to end.
const patience = time.Minute

// laboratory is the place of all stories: the programs, one sandbox, and a witness that
// nobody calls out.
type laboratory struct {
	dir     string
	path    string            // PATH of the stories
	peers   string            // names and versions
	env     map[string]string // what the sandbox says
	sandbox *exec.Cmd
	ended   chan error
	log     bytes.Buffer
	outside witness
}

func openLaboratory() (*laboratory, error) {
	l := &laboratory{ended: make(chan error, 1)}
	var err error
	if l.dir, err = os.MkdirTemp("", "chartsign-e2e"); err != nil {
		return nil, err
	}
	err = errors.Join(l.linkPrograms(), l.checkPeers())
	if err == nil {
		err = l.startSandbox()
	}
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	l.outside.start()
	return l, nil
}

// linkPrograms puts what was built under its proper name in front of PATH.
func (l *laboratory) linkPrograms() error {
	bin := filepath.Join(l.dir, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		return err
	}
	l.path = bin + string(os.PathListSeparator) + os.Getenv("PATH")
	var problems []error
	for variable, name := range map[string]string{"CHARTSIGN_BIN": "chartsign", "SANDBOX_BIN": "sandbox"} {
		program := os.Getenv(variable)
		info, err := os.Stat(program)
		switch {
		case !filepath.IsAbs(program):
			problems = append(problems, fmt.Errorf("%s: got %q, want an absolute path: make e2e sets it", variable, program))
		case err != nil:
			problems = append(problems, fmt.Errorf("%s: %w", variable, err))
		case info.IsDir() || info.Mode()&0o111 == 0:
			problems = append(problems, fmt.Errorf("%s: %s is no program", variable, program))
		default:
			problems = append(problems, os.Symlink(program, filepath.Join(bin, name)))
		}
	}
	return errors.Join(problems...)
}

// checkPeers looks for the peers and compares their versions with the pinned ones. A helm
// that go install built knows its major and minor version only.
func (l *laboratory) checkPeers() error {
	pinned, err := pinnedVersions()
	if err != nil {
		return err
	}
	var problems []error
	for _, peer := range []struct {
		name, want string
		args       []string
	}{
		{"helm", minor(pinned["helm"]), []string{"version", "--template", "{{.Version}}"}},
		{"helm3", minor(pinned["helm3"]), []string{"version", "--template", "{{.Version}}"}},
		{"cosign", pinned["cosign"], []string{"version"}},
		{"gpg", "gpg (GnuPG) 2.", []string{"--version"}},
	} {
		out, err := exec.Command(peer.name, peer.args...).CombinedOutput()
		if err != nil {
			problems = append(problems, fmt.Errorf("%s does not run: %w: tools/install.sh e2e installs helm, helm3 and cosign", peer.name, err))
			continue
		}
		if peer.want == "" || !strings.Contains(string(out), peer.want) {
			problems = append(problems, fmt.Errorf("%s: got version %q, want %q", peer.name, bytes.TrimSpace(out), peer.want))
		}
		l.peers += fmt.Sprintf("%s: %s  ", peer.name, versionLine(string(out), peer.want))
	}
	return errors.Join(problems...)
}

func versionLine(text, want string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, want) {
			return strings.TrimSpace(strings.TrimPrefix(line, "GitVersion:"))
		}
	}
	return "?"
}

func pinnedVersions() (map[string]string, error) {
	data, err := os.ReadFile("../tools/versions.txt")
	if err != nil {
		return nil, err
	}
	versions := make(map[string]string)
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[2] == "e2e" {
			_, versions[fields[0]], _ = strings.Cut(fields[1], "@")
		}
	}
	return versions, nil
}

// minor returns v1.2 of v1.2.3.
func minor(version string) string {
	return version[:max(strings.LastIndexByte(version, '.'), 0)]
}

// startSandbox starts it and waits until it says where everything is.
func (l *laboratory) startSandbox() error {
	state := filepath.Join(l.dir, "sandbox")
	l.sandbox = exec.Command(os.Getenv("SANDBOX_BIN"), "up", "--state", state, "--parent-pid", strconv.Itoa(os.Getpid()))
	l.sandbox.Stderr = &l.log
	if err := l.sandbox.Start(); err != nil {
		return fmt.Errorf("start the sandbox: %w", err)
	}
	go func() { l.ended <- l.sandbox.Wait() }()
	deadline := time.After(patience)
	for {
		if data, err := os.ReadFile(filepath.Join(state, "env")); err == nil {
			l.env = parseExports(string(data))
			return nil
		}
		select {
		case err := <-l.ended:
			l.sandbox = nil
			return errors.Join(errors.New("the sandbox ended while starting"), err, errors.New(l.log.String()))
		case <-deadline:
			return fmt.Errorf("the sandbox did not start within %s", patience)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func parseExports(text string) map[string]string {
	env := make(map[string]string)
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		env[name] = strings.Trim(value, "'")
	}
	return env
}

// close ends what was started, by its process, and says if anybody called out.
func (l *laboratory) close() error {
	var problems []error
	if l.sandbox != nil {
		problems = append(problems, l.stopSandbox())
	}
	problems = append(problems, l.outside.stop(), os.RemoveAll(l.dir))
	return errors.Join(problems...)
}

func (l *laboratory) stopSandbox() error {
	if err := l.sandbox.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("the sandbox ended before the stories did: %w\n%s", err, l.log.String())
	}
	select {
	case err := <-l.ended:
		if err != nil {
			return fmt.Errorf("the sandbox: %w\n%s", err, l.log.String())
		}
		return nil
	case <-time.After(patience):
		return errors.Join(errors.New("the sandbox did not end"), l.sandbox.Process.Kill())
	}
}

// witness is the proxy that all programs are told to use for what is not on loopback. It
// answers nobody and remembers everything.
type witness struct {
	server *httptest.Server
	mu     sync.Mutex
	asked  []string
}

func (w *witness) start() {
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.asked = append(w.asked, r.Method+" "+r.Host+" by "+r.UserAgent())
		http.Error(rw, "the stories play on loopback", http.StatusForbidden)
	}))
}

func (w *witness) stop() error {
	if w.server == nil {
		return nil
	}
	w.server.Close()
	if len(w.asked) > 0 {
		return fmt.Errorf("somebody called out:\n%s", strings.Join(w.asked, "\n"))
	}
	return nil
}
