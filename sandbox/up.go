// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/chartsign/chartsign/sandbox/internal/parent"
	"github.com/chartsign/chartsign/sandbox/internal/state"
)

// parentCheck is how often the sandbox looks for the process that it serves.
const parentCheck = 200 * time.Millisecond

// Reasons to stop that are no failure.
var (
	errParentGone = errors.New("the process it serves has ended")
	errTimeout    = errors.New("its time is up")
)

type upOptions struct {
	state   string
	parent  int
	timeout time.Duration
}

// up starts everything, says where it stands, and waits for a reason to stop.
func up(args []string, stdout, stderr io.Writer) error {
	opts, err := upFlags(args, stderr)
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGPIPE) // whoever read our output may be gone before us
	ctx, stop, err := reasonsToStop(opts)
	if err != nil {
		return err
	}
	defer stop()
	dir, err := state.Open(opts.state)
	if err != nil {
		return err
	}
	err = serve(ctx, dir, stdout, stderr)
	return errors.Join(err, dir.Close())
}

// serve holds the sandbox up until ctx ends, which is no error, or a server fails.
func serve(ctx context.Context, dir *state.Dir, stdout, stderr io.Writer) error {
	begin := time.Now()
	stack, err := start(ctx, dir, begin)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("stopped while starting: %w", context.Cause(ctx))
		}
		return err
	}
	defer stack.close()
	env := exports(stack.environment())
	if err := state.WriteFile(dir.Path(state.EnvFile), []byte(env), 0o644); err != nil {
		return err
	}
	if err := announce(stdout, env); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "sandbox: ready after %.1f s, process %d, state in %s\n",
		time.Since(begin).Seconds(), os.Getpid(), dir.Path())
	select {
	case <-ctx.Done():
	case err := <-stack.failed:
		if ctx.Err() == nil {
			return err
		}
	}
	fmt.Fprintf(stderr, "sandbox: stopping: %v\n", context.Cause(ctx))
	return nil
}

func upFlags(args []string, stderr io.Writer) (upOptions, error) {
	var opts upOptions
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.StringVar(&opts.state, "state", "", "`folder` for keys, logs and storage; cleared at the start")
	flags.IntVar(&opts.parent, "parent-pid", parent.Self(), "stop when this `process` ends; 0 for none")
	flags.DurationVar(&opts.timeout, "timeout", 30*time.Minute, "stop after this time; 0 for never")
	if err := parse(flags, args, stderr); err != nil {
		return upOptions{}, err
	}
	if opts.state == "" {
		return upOptions{}, misuse(stderr, "up: --state is required")
	}
	return opts, nil
}

// reasonsToStop makes a context that ends on a signal, with the parent, or when time is up.
func reasonsToStop(opts upOptions) (context.Context, context.CancelFunc, error) {
	signals := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stopSignals := signal.NotifyContext(context.Background(), signals...)
	ctx, cancel := context.WithCancelCause(ctx)
	stop := func() {
		cancel(nil)
		stopSignals()
	}
	if opts.timeout > 0 {
		timer := time.AfterFunc(opts.timeout, func() { cancel(errTimeout) })
		context.AfterFunc(ctx, func() { timer.Stop() })
	}
	if opts.parent != 0 {
		gone, err := parent.Gone(ctx, opts.parent, parentCheck)
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("watch parent: %w", err)
		}
		go func() {
			select {
			case <-gone:
				cancel(errParentGone)
			case <-ctx.Done():
			}
		}()
	}
	return ctx, stop, nil
}

// announce prints the environment. Standard output then ends for the reader, who may wait
// for that: eval "$(sandbox up --state DIR --parent-pid $$ &)" works.
func announce(stdout io.Writer, env string) error {
	if _, err := io.WriteString(stdout, env); err != nil && !errors.Is(err, syscall.EPIPE) {
		return fmt.Errorf("print environment: %w", err)
	}
	file, ok := stdout.(*os.File)
	if !ok {
		return nil
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("detach standard output: %w", err)
	}
	defer null.Close()
	if err := unix.Dup2(int(null.Fd()), int(file.Fd())); err != nil {
		return fmt.Errorf("detach standard output: %w", err)
	}
	return nil
}
