// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/chartsign/chartsign/sandbox/internal/state"
	"github.com/chartsign/chartsign/sandbox/internal/weblog"
)

const (
	loopback      = "127.0.0.1"
	headerTimeout = 10 * time.Second

	// readyLimit bounds the wait for the first good answer of a server.
	readyLimit   = 20 * time.Second
	probeTimeout = time.Second
	probeEvery   = 20 * time.Millisecond

	// tailBytes of a log are shown with an error.
	tailBytes = 1500
)

// endpoint is one server of the sandbox: a port on loopback, a log file, and in time a
// handler.
type endpoint struct {
	name     string
	probe    string // path that answers 200 when the server is ready
	listener net.Listener
	log      *os.File
	server   *http.Server
}

// newEndpoint opens a port of the kernel's choice.
func newEndpoint(ctx context.Context, dir *state.Dir, name, probe string) (*endpoint, error) {
	logFile, err := dir.Log(name)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), logFile.Close())
	}
	return &endpoint{name: name, probe: probe, listener: listener, log: logFile}, nil
}

func (e *endpoint) address() string { return e.listener.Addr().String() }

func (e *endpoint) url() string { return "http://" + e.address() }

// serve answers requests from now on and logs each. A failure goes to failed.
func (e *endpoint) serve(handler http.Handler, failed chan<- error) {
	e.server = &http.Server{
		Handler:           weblog.Handler(e.log, handler),
		ReadHeaderTimeout: headerTimeout,
		ErrorLog:          log.New(e.log, "", log.LstdFlags),
	}
	go func() {
		if err := e.server.Serve(e.listener); !errors.Is(err, http.ErrServerClosed) {
			report(failed, fmt.Errorf("%s: %w", e.name, err))
		}
	}()
}

func (e *endpoint) close() {
	if e.server != nil {
		_ = e.server.Close() // nothing to save
	}
	_ = e.listener.Close() // closed twice when it was served
	_ = e.log.Close()
}

// awaitAll waits until every server answers its probe.
func awaitAll(ctx context.Context, endpoints []*endpoint) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	client := &http.Client{Timeout: probeTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, e := range endpoints {
		if err := e.await(ctx, client); err != nil {
			return explain(fmt.Errorf("%s does not come up: %w", e.name, err), e.log.Name())
		}
	}
	return nil
}

func (e *endpoint) await(ctx context.Context, client *http.Client) error {
	for {
		err := e.ask(ctx, client)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(probeEvery):
		}
	}
}

func (e *endpoint) ask(ctx context.Context, client *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url()+e.probe, http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "sandbox-probe")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: status %s", e.probe, resp.Status)
	}
	return nil
}

// tail is the end of a log, in whole lines; empty when there is none.
func tail(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return ""
	}
	start := max(0, info.Size()-tailBytes)
	text, err := io.ReadAll(io.NewSectionReader(file, start, tailBytes))
	if err != nil {
		return ""
	}
	if start > 0 {
		_, after, _ := strings.Cut(string(text), "\n")
		return strings.TrimSpace(after)
	}
	return strings.TrimSpace(string(text))
}
