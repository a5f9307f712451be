// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign_test

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/chartsign/chartsign"
)

func ExampleReadChart() {
	file, err := os.Open("testdata/charts/guestbook-1.4.2.tgz")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = file.Close() }()
	chart, err := chartsign.ReadChart(file, chartsign.ReadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(chart.Name(), chart.Version(), "with", chart.AppVersion())
	fmt.Println(chart.FileName(), chart.Digest())
	// Output:
	// guestbook 1.4.2 with 3.10
	// guestbook-1.4.2.tgz sha256:b6dd01d9a00f6ebe42d33c3cebb1eb0aa8c6672cd2f14918782734e412a970fc
}

func ExampleReadChart_refused() {
	_, err := chartsign.ReadChart(strings.NewReader("<html>Not Found</html>"), chartsign.ReadOptions{})
	if reason, ok := errors.AsType[*chartsign.Reason](err); ok {
		fmt.Println(reason.Code)
	}
	// Output: not-a-chart
}

func ExampleParseReference() {
	ref, err := chartsign.ParseReference("oci://Registry.Example:443/charts/guestbook:1.5.0_build.7")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ref.Name(), ref.Tag, ref.BaseName())
	// Output: oci://registry.example/charts/guestbook 1.5.0_build.7 guestbook
}

func ExampleParseDigest() {
	_, err := chartsign.ParseDigest("SHA256:E3B0")
	fmt.Println(errors.Is(err, chartsign.ErrDigest))
	digest, err := chartsign.ParseDigest("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
	fmt.Println(digest == chartsign.DigestOf(nil), err)
	// Output:
	// true
	// true <nil>
}
