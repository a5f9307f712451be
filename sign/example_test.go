// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/sign"
)

func ExamplePGP() {
	if err := signExample(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)); err != nil {
		fmt.Println(err)
	}
	// Output:
	// guestbook-1.4.2.tgz.prov
	// -----BEGIN PGP SIGNED MESSAGE-----
}

func signExample(now time.Time) error {
	ring, err := keys.LoadPGPKeyring("../testdata/keys/release.sec.asc")
	if err != nil {
		return err
	}
	key, err := ring.SigningKey("release@chartsign.test", now, nil)
	if err != nil {
		return err
	}
	pgp, err := sign.NewPGP([]*keys.SigningKey{key}, func() time.Time { return now })
	if err != nil {
		return err
	}
	archive, err := os.Open("../testdata/charts/guestbook-1.4.2.tgz")
	if err != nil {
		return err
	}
	defer archive.Close()
	chart, err := chartsign.ReadChart(archive, chartsign.ReadOptions{})
	if err != nil {
		return err
	}
	provenance, err := pgp.Sign(chart)
	if err != nil {
		return err
	}
	firstLine, _, _ := bytes.Cut(provenance.Bytes(), []byte("\n"))
	fmt.Printf("%s\n%s\n", provenance.Location(), firstLine)
	return nil
}
