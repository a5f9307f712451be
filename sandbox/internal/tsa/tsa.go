// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package tsa serves the timestamp authority of Sigstore (RFC 3161) from its own package,
// without the program's fixed metrics port on all interfaces and without its clock monitor,
// which asks time servers of the public internet.
package tsa

import (
	"fmt"
	"io"
	"net/http"

	"github.com/sigstore/timestamp-authority/v2/pkg/log"
	"github.com/sigstore/timestamp-authority/v2/pkg/server"
	"github.com/spf13/viper"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Path is where requests for a timestamp go.
const Path = "/api/v1/timestamp"

// policy is the object identifier that Sigstore's own authorities put into timestamps.
const policy = "1.3.6.1.4.1.57264.2"

// maxRequest bounds a request body, as the program does.
const maxRequest = 1 << 20

// Config says what the authority works with.
type Config struct {
	KeyFile   string // PEM: the signer's key
	ChainFile string // PEM: the signer's certificate, intermediates, root
	Log       io.Writer
}

// Handler makes the server. It sets the global settings and the global logger of the
// timestamp authority, which can therefore stand in a process once.
func Handler(cfg Config) (handler http.Handler, err error) {
	encoder := zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig())
	log.Logger = zap.New(zapcore.NewCore(encoder, zapcore.AddSync(cfg.Log), zapcore.InfoLevel)).Sugar()
	for name, value := range map[string]any{
		"timestamp-signer":         "file",
		"timestamp-signer-hash":    "sha256",
		"file-signer-key-path":     cfg.KeyFile,
		"certificate-chain-path":   cfg.ChainFile,
		"enforce-intermediate-eku": true,
		"default-policy-oid":       policy,
		"accepted-policy-oids":     []string{policy},
		"max-request-body-size":    maxRequest,
	} {
		viper.Set(name, value)
	}
	// The package reports settings that it cannot use by a panic.
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("tsa: %v", cause)
		}
	}()
	return server.NewRestAPIServer("", 0, nil, false, 0, 0).GetHandler(), nil
}
