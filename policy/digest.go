// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
)

// digestOf hashes what decides. Each string is preceded by its length, so that no two
// policies write the same bytes:
//
//	"chartsign policy v1\n", per module sorted by name and text: LENGTH ":" name LENGTH ":" text,
//	then "data" and the data as JSON with sorted keys, both with their lengths
func digestOf(modules []module, data map[string]any) (string, error) {
	sorted := slices.SortedFunc(slices.Values(modules), func(a, b module) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.text, b.text))
	})
	encoded, err := json.Marshal(data)
	if err != nil {
		return "", mistake(ErrData, nil, "%v", err)
	}
	h := sha256.New()
	_, _ = h.Write([]byte("chartsign policy v1\n"))
	for _, m := range sorted {
		writeField(h, m.name)
		writeField(h, m.text)
	}
	writeField(h, "data")
	writeField(h, string(encoded))
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

func writeField(h hash.Hash, s string) {
	_, _ = fmt.Fprintf(h, "%d:%s", len(s), s) // a hash never fails
}
