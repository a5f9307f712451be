// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/subtle"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// front stands before a story's registry and does what its script says.
type front struct {
	*httptest.Server
	registry *httputil.ReverseProxy
	mu       sync.Mutex
	asked    []string
	// before may answer in the registry's place, or change the request.
	before func(http.ResponseWriter, *http.Request) (answered bool)
}

var fronts sync.Map // host:port → *front

// serve starts a front and sets NAME to its address with the story's prefix.
func serve(ts *testscript.TestScript, name string, before func(http.ResponseWriter, *http.Request) bool) {
	host := ts.Getenv("HOST")
	f := &front{before: before, registry: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", host, r.In.Host
		r.Out.Header.Del("Authorization")
	}}}
	f.Server = httptest.NewServer(f)
	ts.Defer(f.Close)
	address := strings.TrimPrefix(f.URL, "http://")
	fronts.Store(address, f)
	ts.Setenv(name+"_HOST", address)
	ts.Setenv(name, address+"/"+ts.Getenv("STORY"))
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, r.Method+" "+r.URL.Path)
	answered := f.before(w, r)
	f.mu.Unlock()
	if !answered {
		f.registry.ServeHTTP(w, r)
	}
}

// turncoat NAME REPO TAG FIRST THEN: the tag leads to the manifest FIRST at the first
// request, and to THEN ever after. REPO is below the story's prefix.
func serveTurncoat(ts *testscript.TestScript, _ bool, args []string) {
	folder := "/v2/" + ts.Getenv("STORY") + "/" + args[1] + "/manifests/"
	tag, digest, then := folder+args[2], args[3], args[4]
	serve(ts, args[0], func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == tag {
			r.URL.Path, digest = folder+digest, then
		}
		return false
	})
}

// guarded NAME USER PASSWORD
func serveGuarded(ts *testscript.TestScript, _ bool, args []string) {
	serve(ts, args[0], func(w http.ResponseWriter, r *http.Request) bool {
		user, password, _ := r.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(user+":"+password), []byte(args[1]+":"+args[2])) == 1 {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="stories"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
}

// asked NAME FILE
func writeAsked(ts *testscript.TestScript, _ bool, args []string) {
	found, _ := fronts.Load(ts.Getenv(args[0] + "_HOST"))
	f, ok := found.(*front)
	if !ok {
		ts.Fatalf("no server is named %s", args[0])
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Join(f.asked, "\n")+"\n"), 0o600))
}
