// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package main compares whole runs of chartsign with whole runs of its peers, in turn on
// the same machine, and prints medians and ratios. It asserts nothing: figures depend on
// the machine, ratios less so. 'make bench' runs it after the benchmarks of the packages.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	runs := flag.Int("runs", 21, "measured runs of each command")
	data := flag.String("data", "../testdata", "the folder of charts and keys")
	flag.Parse()
	if err := run(*runs, *data); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(runs int, data string) error {
	bench, err := newBench(data)
	if err != nil {
		return err
	}
	defer bench.close()
	if err := bench.prepare(); err != nil {
		return err
	}
	fmt.Printf("%-34s %10s %10s %8s %10s %10s %8s\n", "", "ours ms", "peer ms", "ratio", "ours MiB", "peer MiB", "ratio")
	for _, pair := range bench.pairs() {
		ours, theirs, err := compare(pair, runs)
		if err != nil {
			return fmt.Errorf("%s: %w", pair.name, err)
		}
		fmt.Printf("%-34s %10.1f %10.1f %8.2f %10.1f %10.1f %8.2f\n", pair.name,
			ours.ms, theirs.ms, ours.ms/theirs.ms, ours.mib, theirs.mib, ours.mib/theirs.mib)
	}
	return bench.single(runs)
}

// pair is the same job done by chartsign and by a peer.
type pair struct {
	name        string
	ours, peers []string
	env         []string
}

// figure is the median of some runs.
type figure struct{ ms, mib float64 }

// compare runs both in turn, so that a busy moment hits both.
func compare(p pair, runs int) (ours, theirs figure, err error) {
	var a, b samples
	for i := range runs + 1 {
		mine, err := measure(p.ours, p.env)
		if err != nil {
			return figure{}, figure{}, err
		}
		peer, err := measure(p.peers, p.env)
		if err != nil {
			return figure{}, figure{}, err
		}
		if i > 0 { // the first run warms the caches of the machine
			a, b = append(a, mine), append(b, peer)
		}
	}
	return a.median(), b.median(), nil
}

type samples []figure

func (s samples) median() figure {
	var ms, mib []float64
	for _, sample := range s {
		ms, mib = append(ms, sample.ms), append(mib, sample.mib)
	}
	slices.Sort(ms)
	slices.Sort(mib)
	return figure{ms[len(ms)/2], mib[len(mib)/2]}
}

func measure(args, env []string) (figure, error) {
	command := exec.Command(args[0], args[1:]...) //nolint:noctx // the commands are this program's own
	command.Env = append(os.Environ(), env...)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	start := time.Now()
	err := command.Run()
	elapsed := time.Since(start)
	if err != nil {
		return figure{}, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, output.String())
	}
	usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return figure{}, errors.New("no resource usage on this system")
	}
	return figure{float64(elapsed.Microseconds()) / 1000, float64(usage.Maxrss) / 1024}, nil
}

// single prints what has no peer: the start of the program, its size, and the requests of a
// judgement.
func (b *bench) single(runs int) error {
	var version samples
	for range runs {
		sample, err := measure([]string{b.chartsign, "version"}, nil)
		if err != nil {
			return err
		}
		version = append(version, sample)
	}
	info, err := os.Stat(b.chartsign)
	if err != nil {
		return err
	}
	at := version.median()
	fmt.Printf("\n%-34s %10.1f ms %8.1f MiB\n", "chartsign version", at.ms, at.mib)
	fmt.Printf("%-34s %10.1f MB\n", "size of the program", float64(info.Size())/1e6)
	keyless := b.keyless()
	for _, side := range []struct {
		name string
		args []string
	}{{"chartsign", keyless.ours}, {"cosign", keyless.peers}} {
		before, err := b.requests()
		if err != nil {
			return err
		}
		if _, err := measure(side.args, keyless.env); err != nil {
			return err
		}
		after, err := b.requests()
		if err != nil {
			return err
		}
		fmt.Printf("%-34s %10d\n", "requests to judge by tag, "+side.name, after-before)
	}
	return nil
}

// requests counts the lines of the registry's log.
func (b *bench) requests() (int, error) {
	time.Sleep(100 * time.Millisecond) // the registry writes its log after it has answered
	log, err := os.ReadFile(filepath.Join(b.state, "logs", "registry-referrers.log"))
	return bytes.Count(log, []byte("\n")), err
}
