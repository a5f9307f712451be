// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package weblog writes one line for each request of an HTTP handler:
//
//	TIME METHOD TARGET STATUS "USER AGENT"
//
// The line is written before the answer leaves, so whoever has an answer in hand also
// finds its line: tests count requests without waiting.
package weblog

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

const timeFormat = "2006-01-02T15:04:05.000Z"

// Handler serves with next and logs to w. Each line is one Write.
func Handler(w io.Writer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: rw, out: w, line: request(r)}
		next.ServeHTTP(rec, r)
		rec.report(http.StatusOK)
	})
}

// request notes method and target at once: a handler may rewrite them later.
func request(r *http.Request) func(status int) string {
	method, target, agent := r.Method, r.URL.RequestURI(), r.UserAgent()
	return func(status int) string {
		return fmt.Sprintf("%s %s %s %d %q\n", time.Now().UTC().Format(timeFormat), method, target, status, agent)
	}
}

// recorder reports the first final status that passes through it.
type recorder struct {
	http.ResponseWriter
	out      io.Writer
	line     func(status int) string
	reported bool
}

func (r *recorder) WriteHeader(status int) {
	if status >= http.StatusOK {
		r.report(status)
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.report(http.StatusOK)
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach flushing and deadlines.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) report(status int) {
	if r.reported {
		return
	}
	r.reported = true
	_, _ = io.WriteString(r.out, r.line(status)) // a full disk must not fail the request
}
