// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// What the run shares: the place where the stories play, and what they found.
var (
	lab      *laboratory
	honest   = newTable("Honest evidence: who accepts it")
	hostile  = newTable("What must not pass: who refuses it")
	stricter = newTable("Provenance files that helm accepts and chartsign refuses")
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	begin := time.Now()
	var err error
	if lab, err = openLaboratory(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	code := m.Run()
	if err := errors.Join(lab.close(), publish(time.Since(begin))); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	return code
}

// publish prints the tables and writes them to the file that E2E_TABLES names.
func publish(took time.Duration) error {
	text := strings.Join([]string{
		honest.String(), hostile.String(), stricter.String(), fmt.Sprintf("%s\nThe stories took %.0f s.\n", lab.peers, took.Seconds()),
	}, "\n")
	fmt.Print("\n", text)
	if path := os.Getenv("E2E_TABLES"); path != "" {
		return os.WriteFile(path, []byte(text), 0o600)
	}
	return nil
}
