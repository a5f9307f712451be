// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package rekor

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
)

// prefix stands before the paths of the C2SP tlog-tiles specification.
const prefix = "/api/v2/"

// Front makes one log of a server and its storage folder: GET of the checkpoint and of
// tiles comes from the folder, all else goes to the server.
func Front(storage, backend string, logs io.Writer) (http.Handler, error) {
	target, err := url.Parse(backend)
	if err != nil {
		return nil, fmt.Errorf("rekor: front: %w", err)
	}
	folder, err := os.OpenRoot(storage)
	if err != nil {
		return nil, fmt.Errorf("rekor: front: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+prefix+"checkpoint", files(folder, "text/plain; charset=utf-8"))
	mux.Handle("GET "+prefix+"tile/", files(folder, "application/octet-stream"))
	mux.Handle("/", &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorLog: log.New(logs, "", log.LstdFlags),
	})
	return mux, nil
}

// files serves plain files only: a folder, a missing file or one outside is not found.
func files(folder *os.Root, contentType string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, err := folder.Open(strings.TrimPrefix(r.URL.Path, prefix))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil || !info.Mode().IsRegular() {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", contentType)
		http.ServeContent(w, r, "", info.ModTime(), file)
	})
}
