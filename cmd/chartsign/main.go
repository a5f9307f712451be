// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package main is the command chartsign: flags in, values through the packages, a report
// and an exit code out. A command is a file: its constructor binds flags, its run function
// does the work. Results go to stdout, everything else to stderr. Exit codes are mapped in
// exit.go and nowhere else.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/term"
)

// version is set by the linker.
var version = "devel"

// console is the world outside the process.
type console struct {
	stdin            *os.File
	stdout, stderr   *os.File
	getenv           func(string) string
	now              func() time.Time
	stdoutIsTerminal bool
	stderrIsTerminal bool
}

// gcPercent lets the heap grow to five times its live part before it is collected: a run
// allocates a few MiB and ends. Big inputs are streamed, so that it does not matter there.
const gcPercent = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	os.Exit(realMain())
}

func realMain() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	world := &console{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, now: time.Now,
		stdoutIsTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		stderrIsTerminal: term.IsTerminal(int(os.Stderr.Fd())),
	}
	return run(ctx, os.Args, world)
}
