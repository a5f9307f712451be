// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package transparency_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign/transparency"
)

var (
	rootHash  = bytes.Repeat([]byte{7}, 32)
	rootText  = base64.StdEncoding.EncodeToString(rootHash)
	signature = "\u2014 rekor.example " + base64.StdEncoding.EncodeToString([]byte("hash and signature")) + "\n"
)

func TestParseCheckpoint(t *testing.T) {
	good := "rekor.example - 42\n17\n" + rootText + "\n\n" + signature
	got, err := transparency.ParseCheckpoint(good)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(transparency.Checkpoint{Origin: "rekor.example - 42", Size: 17, Root: rootHash}, got); diff != "" {
		t.Errorf("checkpoint (-want +got):\n%s", diff)
	}
	short := base64.StdEncoding.EncodeToString(rootHash[:31])
	for name, text := range map[string]string{
		"empty":                   "",
		"text":                    "a checkpoint",
		"no signature":            "rekor.example\n17\n" + rootText + "\n\n",
		"no empty line":           "rekor.example\n17\n" + rootText + "\n" + signature,
		"no origin":               "\n17\n" + rootText + "\n\n" + signature,
		"size is no number":       "rekor.example\nmany\n" + rootText + "\n\n" + signature,
		"size is negative":        "rekor.example\n-1\n" + rootText + "\n\n" + signature,
		"size has more than 64":   "rekor.example\n18446744073709551616\n" + rootText + "\n\n" + signature,
		"root is no base64":       "rekor.example\n17\n???\n\n" + signature,
		"root of 31 bytes":        "rekor.example\n17\n" + short + "\n\n" + signature,
		"no root":                 "rekor.example\n17\n\n" + signature,
		"escape in the origin":    "rekor\x1b[2J\n17\n" + rootText + "\n\n" + signature,
		"origin is not UTF-8":     "rekor\xff\n17\n" + rootText + "\n\n" + signature,
		"more than the cap holds": good + strings.Repeat(signature, 2000),
	} {
		if got, err := transparency.ParseCheckpoint(text); !errors.Is(err, transparency.ErrCheckpoint) {
			t.Errorf("%s: got %+v, %v; want ErrCheckpoint", name, got, err)
		}
	}
}

// FuzzParseCheckpoint: no input crashes the parser, and what it accepts says the same when
// it is written again.
func FuzzParseCheckpoint(f *testing.F) {
	f.Add("rekor.example - 42\n17\n" + rootText + "\n\n" + signature)
	f.Add("rekor.example\n0\n" + rootText + "\nother content\n\n" + signature + signature)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := transparency.ParseCheckpoint(text)
		if err != nil {
			if !errors.Is(err, transparency.ErrCheckpoint) {
				t.Errorf("got %v, want ErrCheckpoint", err)
			}
			return
		}
		written := fmt.Sprintf("%s\n%d\n%s\n\n%s", got.Origin, got.Size, base64.StdEncoding.EncodeToString(got.Root), signature)
		again, err := transparency.ParseCheckpoint(written)
		if err != nil {
			t.Fatalf("written again: %v", err)
		}
		if diff := cmp.Diff(got, again); diff != "" {
			t.Errorf("written again (-want +got):\n%s", diff)
		}
	})
}

func ExampleParseCheckpoint() {
	text := "log.example - 42\n17\n" + rootText + "\n\n" + signature
	checkpoint, err := transparency.ParseCheckpoint(text)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(checkpoint.Origin, checkpoint.Size)
	// Output: log.example - 42 17
}
