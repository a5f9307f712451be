// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/oci"
)

func Example() {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	ctx := context.Background()

	client, err := oci.NewClient(oci.Options{PlainHTTP: true})
	if err != nil {
		log.Fatal(err)
	}
	ref, err := chartsign.ParseReference("oci://" + strings.TrimPrefix(server.URL, "http://") + "/charts/web:1.2.3")
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Chart(ref).Resolve(ctx)
	var reason *chartsign.Reason
	if errors.As(err, &reason) {
		fmt.Println(reason.Code)
	}
	// Output: not-found
}
