// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Command sandbox starts two throw-away OCI registries and a private Sigstore on loopback,
// for demonstrations and end-to-end tests. Everything is a real server; nothing is
// reachable from another machine, and nothing dials out.
//
//	sandbox up --state DIR     starts everything, prints the environment, runs until stopped
//	sandbox token --email A    prints an identity token of the sandbox's issuer
//
// The program also runs itself as the one server that cannot share a process; that
// subcommand is not for people.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/chartsign/chartsign/sandbox/internal/rekor"
)

const usage = `usage:
  sandbox up --state DIR [--parent-pid PID] [--timeout 30m]
  sandbox token --issuer URL [--email ADDRESS] [--claim NAME=VALUE]... [--ttl 10m]
`

// errUsage marks a command line that makes no sense; the text is on standard error already.
var errUsage = errors.New("usage")

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run carries a command line out and returns the exit code: 0 done, 1 failed, 2 usage.
func run(args []string, stdout, stderr io.Writer) int {
	err := dispatch(args, stdout, stderr)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	default:
		fmt.Fprintf(stderr, "sandbox: %v\n", err)
		return 1
	}
}

func dispatch(args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return misuse(stderr, "no command")
	}
	switch command, rest := args[0], args[1:]; command {
	case "up":
		return up(rest, stdout, stderr)
	case "token":
		return token(rest, stdout, stderr)
	case rekor.Command:
		rekor.Main(rest)
		return nil
	case "help", "-h", "--help":
		_, err := io.WriteString(stdout, usage)
		return err
	default:
		return misuse(stderr, fmt.Sprintf("unknown command %q", command))
	}
}

// parse reads the flags of a command, which takes no other arguments.
func parse(flags *flag.FlagSet, args []string, stderr io.Writer) error {
	flags.SetOutput(stderr)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	if flags.NArg() > 0 {
		return misuse(stderr, fmt.Sprintf("unexpected argument %q", flags.Arg(0)))
	}
	return nil
}

func misuse(stderr io.Writer, problem string) error {
	fmt.Fprintf(stderr, "sandbox: %s\n%s", problem, usage)
	return errUsage
}
