// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package rekor runs a Rekor v2 transparency log whose tiles lie in a folder.
//
// The server takes its arguments from os.Args and is built on process globals, so it runs
// as a process of its own: this program again, under the name Command. Front joins the
// server, which takes entries, and the folder, which holds tiles and checkpoint, under one
// URL; clients expect that.
package rekor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix/app"
)

// Command is the first argument that makes this program the log server; see Main.
const Command = "rekor-server"

// Origin is the name in the log's checkpoints. Clients take the host of the log's URL,
// without the port.
const Origin = "127.0.0.1"

const (
	// checkpointEvery sets the pace of signing: a writer waits for the next checkpoint.
	checkpointEvery = "500ms"
	batchEvery      = "100ms"

	// attempts covers the moment between choosing a free port and opening it, in which
	// another process may take it.
	attempts   = 3
	startLimit = 20 * time.Second
	pollEvery  = 20 * time.Millisecond
)

// Errors of Start.
var (
	errExited = errors.New("server ended while starting")
	errSilent = errors.New("server does not answer")
)

// Main is the server process. It ends with its parent, however that ends: the parent
// holds the other end of its standard input.
func Main(args []string) {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	os.Args = append([]string{Command}, args...)
	app.Execute()
}

// Config says what the log works with.
type Config struct {
	Storage string // an empty folder
	KeyFile string // PEM: signs checkpoints
	Log     *os.File
}

// Server is a running server process.
type Server struct {
	// URL takes entries; see Front for reading.
	URL string
	// Done yields the reason once the process has ended.
	Done <-chan error

	stop context.CancelFunc
}

// Start runs the server and returns when it answers.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	for attempt := 1; ; attempt++ {
		server, err := launch(ctx, cfg)
		if err != nil {
			return nil, fmt.Errorf("rekor: %w", err)
		}
		err = server.await(ctx)
		if err == nil {
			return server, nil
		}
		server.stop()
		if !errors.Is(err, errExited) || attempt == attempts {
			return nil, fmt.Errorf("rekor: attempt %d: %w", attempt, err)
		}
	}
}

// launch starts the process; it is killed when ctx ends.
func launch(ctx context.Context, cfg Config) (*Server, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(ctx, 3)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, program, append([]string{Command}, arguments(cfg, ports)...)...)
	cmd.Env = environment()
	cmd.Stdout, cmd.Stderr = cfg.Log, cfg.Log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a ctrl-C is for the sandbox, not for its parts
	// The pipe tells the process that we live; cmd.Wait holds it open while it runs.
	if _, err := cmd.StdinPipe(); err != nil {
		stop()
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		stop()
		return nil, err
	}
	done := make(chan error, 1)
	go func() {
		done <- fmt.Errorf("%s ended: %w", Command, errors.Join(cmd.Wait(), ctx.Err()))
		close(done)
	}()
	return &Server{URL: "http://" + address(ports[0]), Done: done, stop: stop}, nil
}

// await polls until the server is healthy or has ended.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	client := &http.Client{Timeout: time.Second}
	for {
		if healthy(ctx, client, s.URL+"/healthz") {
			return nil
		}
		select {
		case err := <-s.Done:
			return fmt.Errorf("%w: %w", errExited, err)
		case <-ctx.Done():
			return errors.Join(errSilent, ctx.Err())
		case <-time.After(pollEvery):
		}
	}
}

func healthy(ctx context.Context, client *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}
