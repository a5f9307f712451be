// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// exits CODE COMMAND…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG…")
	}
	requireExit(ts, args[0], args[1:])
}

func requireExit(ts *testscript.TestScript, code string, command []string) {
	want, err := strconv.Atoi(code)
	ts.Check(err)
	got := 0
	if err := ts.Exec(command[0], command[1:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%s: %v", command[0], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s: exit code: got %d, want %d", command[0], got, want)
	}
}

// honest ROW CODE COMMAND…; chartsign has to accept.
func judgeHonest(ts *testscript.TestScript, neg bool, args []string) {
	judge(ts, neg, honest, args)
	if args[2] == "chartsign" && args[1] != "0" {
		ts.Fatalf("chartsign refuses honest evidence: %s", args[0])
	}
}

// hostile ROW CODE COMMAND…; chartsign has to refuse.
func judgeHostile(ts *testscript.TestScript, neg bool, args []string) {
	judge(ts, neg, hostile, args)
	if args[2] == "chartsign" && args[1] == "0" {
		ts.Fatalf("chartsign accepts what must not pass: %s", args[0])
	}
}

// reasonOf finds the reason at the end of the verdict's line, or of the error's.
var reasonOf = regexp.MustCompile(`(?m)^(?:  [A-Z]+|chartsign: error): .*\[([a-z0-9-]+)\]$`)

func judge(ts *testscript.TestScript, neg bool, t *table, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: honest|hostile ROW CODE COMMAND ARG…")
	}
	if !slices.ContainsFunc(columns, func(c column) bool { return c.program == args[2] }) {
		ts.Fatalf("%s is no verifier of the tables", args[2])
	}
	requireExit(ts, args[1], args[2:])
	verdict := accepts
	if args[1] != "0" {
		verdict = refuses
		if found := reasonOf.FindStringSubmatch(ts.ReadFile("stdout") + ts.ReadFile("stderr")); found != nil && args[2] == "chartsign" {
			verdict += ": " + found[1]
		}
	}
	ts.Check(t.record(args[0], args[2], verdict))
}

// capture NAME stdout|stderr RE
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: capture NAME stdout|stderr RE")
	}
	found := regexp.MustCompile("(?m)" + args[2]).FindStringSubmatch(ts.ReadFile(args[1]))
	if len(found) != 2 {
		ts.Fatalf("%s does not match %s with one group", args[1], args[2])
	}
	ts.Setenv(args[0], found[1])
}

// tamper FILE
func tamper(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	data[len(data)/2] ^= 0x01
	ts.Check(os.WriteFile(path, data, 0o600))
}

// edit FILE OLD NEW
func edit(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	if n := bytes.Count(data, []byte(args[1])); n != 1 {
		ts.Fatalf("%s holds %q %d times, want once", args[0], args[1], n)
	}
	ts.Check(os.WriteFile(path, bytes.Replace(data, []byte(args[1]), []byte(args[2]), 1), 0o600))
}

// graft PATH FROM INTO; PATH is keys of nested objects, with dots between them.
func graft(ts *testscript.TestScript, _ bool, args []string) {
	keys := strings.Split(args[0], ".")
	last := keys[len(keys)-1]
	_, donor := descend(ts, args[1], keys)
	root, receiver := descend(ts, args[2], keys)
	if bytes.Equal(encode(ts, donor[last]), encode(ts, receiver[last])) {
		ts.Fatalf("%s is the same in %s and %s", args[0], args[1], args[2])
	}
	receiver[last] = donor[last]
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), encode(ts, root), 0o600))
}

// descend returns the whole JSON document and the object that holds the last of keys.
func descend(ts *testscript.TestScript, name string, keys []string) (root, holder map[string]any) {
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(name)), &root))
	holder = root
	for _, key := range keys[:len(keys)-1] {
		next, ok := holder[key].(map[string]any)
		if !ok {
			ts.Fatalf("%s has no object %s", name, key)
		}
		holder = next
	}
	if holder[keys[len(keys)-1]] == nil {
		ts.Fatalf("%s has no %s", name, strings.Join(keys, "."))
	}
	return root, holder
}

func encode(ts *testscript.TestScript, value any) []byte {
	data, err := json.Marshal(value)
	ts.Check(err)
	return data
}

// genkey FILE rsa|p384
func genkey(ts *testscript.TestScript, _ bool, args []string) {
	var key any
	var err error
	switch args[1] {
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 3072)
	case "p384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	default:
		ts.Fatalf("unknown kind of key %q", args[1])
	}
	ts.Check(err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
}
