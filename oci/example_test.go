// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/oci"
)

// A chart goes to a registry and comes back: pushed, with evidence attached, resolved,
// listed and pulled.
func Example() {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	if err := roundTrip(context.Background(), strings.TrimPrefix(server.URL, "http://")); err != nil {
		fmt.Println(err)
	}
	// Output:
	// attached by fallback-tag
	// web 1.2.3
	// bundle from fallback-tag
	// web-1.2.3.tgz
}

func roundTrip(ctx context.Context, host string) error {
	client, err := oci.NewClient(oci.Options{PlainHTTP: true})
	if err != nil {
		return err
	}
	parent, err := chartsign.ParseReference("oci://" + host + "/charts")
	if err != nil {
		return err
	}
	archive := pack("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.3\n")
	read, err := chartsign.ReadChart(bytes.NewReader(archive), chartsign.ReadOptions{})
	if err != nil {
		return err
	}
	pushed, err := client.Push(ctx, parent, oci.PushRequest{Archive: bytes.NewReader(archive), Chart: read})
	if err != nil {
		return err
	}
	chart := client.Chart(pushed.Reference)
	attached, err := chart.Attach(ctx, oci.AttachRequest{Data: []byte("a bundle"), MediaType: chartsign.MediaTypeBundle})
	if err != nil {
		return err
	}
	fmt.Println("attached by", attached.Via)

	subject, err := chart.Resolve(ctx)
	if err != nil {
		return err
	}
	fmt.Println(subject.Chart.Name(), subject.Chart.Version())
	listing, err := chart.Evidence(ctx)
	if err != nil || listing.Problem != nil {
		return errors.Join(err, listing.Problem)
	}
	for _, evidence := range listing.Evidence {
		fmt.Println(evidence.Kind(), "from", evidence.Source()) // package verify judges it
	}
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	paths, err := chart.Pull(ctx, dir, oci.PullOptions{})
	if err != nil {
		return err
	}
	fmt.Println(filepath.Base(paths[0]))
	return nil
}

func pack(name, content string) []byte {
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	_ = archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg})
	_, _ = io.WriteString(archive, content)
	_, _ = archive.Close(), zipped.Close()
	return out.Bytes()
}

// A failure is a reason that programs can tell apart.
func ExampleChart_Resolve() {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	client, err := oci.NewClient(oci.Options{PlainHTTP: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	ref, err := chartsign.ParseReference("oci://" + strings.TrimPrefix(server.URL, "http://") + "/charts/web:1.2.3")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.Chart(ref).Resolve(context.Background())
	if reason, ok := errors.AsType[*chartsign.Reason](err); ok {
		fmt.Println(reason.Code)
	}
	// Output: not-found
}
