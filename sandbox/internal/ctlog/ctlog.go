// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package ctlog serves a certificate transparency log (RFC 6962): the HTTP front end of
// certificate-transparency-go over a Trillian log that lives in memory.
package ctlog

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/certificate-transparency-go/trillian/ctfe"
	"github.com/google/certificate-transparency-go/trillian/ctfe/configpb"
	"github.com/google/trillian/crypto/keys"
	"github.com/google/trillian/crypto/keys/der"
	"github.com/google/trillian/crypto/keyspb"
	"github.com/google/trillian/monitoring"
	"google.golang.org/protobuf/types/known/anypb"
	"k8s.io/klog/v2"
)

// Prefix is the path under which the log stands; /ct/v1/… follows it.
const Prefix = "ct"

const (
	// maxChain bounds a submitted chain, as the program does.
	maxChain = 512_000
	// backendDeadline bounds one call to Trillian.
	backendDeadline = 10 * time.Second
	// maxMergeDelay is what the log promises; it keeps the promise in a fraction of a second.
	maxMergeDelay = 24 * time.Hour
)

// Config says what the log works with.
type Config struct {
	Key       *ecdsa.PrivateKey // signs tree heads and certificate timestamps
	RootsFile string            // PEM: the roots whose certificates are taken
	Log       io.Writer
}

// Handler makes the log; it works until ctx ends. It sets klog's global logger.
func Handler(ctx context.Context, cfg Config) (http.Handler, error) {
	klog.SetSlogLogger(slog.New(slog.NewTextHandler(cfg.Log, nil)))
	backend, tree, err := startTrillian(ctx)
	if err != nil {
		return nil, fmt.Errorf("ctlog: %w", err)
	}
	settings, err := settings(cfg, tree)
	if err != nil {
		return nil, fmt.Errorf("ctlog: settings: %w", err)
	}
	log, err := ctfe.SetUpInstance(ctx, ctfe.InstanceOptions{
		Validated:     settings,
		Client:        backend,
		Deadline:      backendDeadline,
		MetricFactory: monitoring.InertMetricFactory{},
		RequestLog:    new(ctfe.DefaultRequestLog),
	})
	if err != nil {
		return nil, fmt.Errorf("ctlog: front end: %w", err)
	}
	mux := http.NewServeMux()
	for path, handler := range log.Handlers {
		mux.Handle(path, http.MaxBytesHandler(handler, maxChain))
	}
	return mux, nil
}

// settings describe the log. The key goes in as bytes: the front end takes no key file
// that has no password.
func settings(cfg Config, tree int64) (*ctfe.ValidatedLogConfig, error) {
	keys.RegisterHandler(&keyspb.PrivateKey{}, der.FromProto)
	bytes, err := x509.MarshalPKCS8PrivateKey(cfg.Key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	key, err := anypb.New(&keyspb.PrivateKey{Der: bytes})
	if err != nil {
		return nil, fmt.Errorf("wrap key: %w", err)
	}
	return ctfe.ValidateLogConfig(&configpb.LogConfig{
		LogId:            tree,
		Prefix:           Prefix,
		RootsPemFile:     []string{cfg.RootsFile},
		PrivateKey:       key,
		MaxMergeDelaySec: int32(maxMergeDelay / time.Second),
	})
}
