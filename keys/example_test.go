// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package keys_test

import (
	"fmt"
	"log"
	"time"

	"github.com/chartsign/chartsign/keys"
)

// A keyring of several maintainers becomes a trust root.
func ExampleNewTrustRoot() {
	ring, err := keys.LoadPGPKeyring("../testdata/keys/team.pub.asc")
	if err != nil {
		log.Fatal(err)
	}
	root, err := keys.NewTrustRoot(keys.TrustMaterial{PGP: ring})
	if err != nil {
		log.Fatal(err)
	}
	for _, entity := range root.PGP().Entities() {
		fmt.Println(keys.UserID(entity))
	}
	// Output:
	// Chartsign Test Release <release@chartsign.test>
	// Chartsign Test Maintainer <maintainer@chartsign.test>
	// Chartsign Test Split <split@chartsign.test>
}

// The secret key that signs is a subkey where the primary key only certifies.
func ExamplePGPKeyring_SigningKey() {
	ring, err := keys.LoadPGPKeyring("../testdata/keys/split.sec.asc")
	if err != nil {
		log.Fatal(err)
	}
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	key, err := ring.SigningKey("split@chartsign.test", now, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key)
	fmt.Println("a subkey:", key.Private().IsSubkey)

	_, err = ring.SigningKey("somebody else", now, nil)
	fmt.Println(err)
	// Output:
	// 6BC43318FD319493B0A3B94E94D2B35910AEB9AD ("Chartsign Test Split <split@chartsign.test>")
	// a subkey: true
	// no such key: got "somebody else", want a fingerprint, key ID or user ID of 6BC43318FD319493B0A3B94E94D2B35910AEB9AD ("Chartsign Test Split <split@chartsign.test>")
}
