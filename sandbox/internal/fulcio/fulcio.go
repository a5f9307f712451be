// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package fulcio serves Fulcio, the certificate authority of Sigstore, from its own
// packages: the same server behind the same HTTP interface as the program, without the
// program's metrics port on all interfaces, its gRPC port and its Unix socket.
package fulcio

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	ctclient "github.com/google/certificate-transparency-go/client"
	"github.com/google/certificate-transparency-go/jsonclient"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/sigstore/fulcio/pkg/ca/fileca"
	"github.com/sigstore/fulcio/pkg/config"
	"github.com/sigstore/fulcio/pkg/generated/protobuf"
	"github.com/sigstore/fulcio/pkg/generated/protobuf/legacy"
	"github.com/sigstore/fulcio/pkg/log"
	"github.com/sigstore/fulcio/pkg/server"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore/pkg/signature"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// maxRequest is the program's own limit.
const maxRequest = 4 << 20

// logTimeout bounds one request to the transparency log.
const logTimeout = 30 * time.Second

//go:embed identities.yaml
var identities string

// Config says what Fulcio works with.
type Config struct {
	ChainFile string // PEM: intermediate, then root
	KeyFile   string // PEM: the intermediate's key
	Issuer    string // URL of the identity issuer; it must answer already
	CTLog     string // URL of the certificate transparency log
	CTKey     string // PEM: the log's public key
	Log       io.Writer
}

// Handler makes the server. It sets Fulcio's global logger.
func Handler(ctx context.Context, cfg Config) (http.Handler, error) {
	log.Logger = logger(cfg.Log)
	settings, err := config.Read([]byte(strings.ReplaceAll(identities, "${ISSUER}", cfg.Issuer)))
	if err != nil {
		return nil, fmt.Errorf("fulcio: identities: %w", err)
	}
	// The key is in the clear; the password is asked for only if it were not.
	ca, err := fileca.NewFileCA(cfg.ChainFile, cfg.KeyFile, "", false)
	if err != nil {
		return nil, fmt.Errorf("fulcio: authority: %w", err)
	}
	ctlog, err := ctclient.New(cfg.CTLog, &http.Client{Timeout: logTimeout}, jsonclient.Options{PublicKey: cfg.CTKey})
	if err != nil {
		return nil, fmt.Errorf("fulcio: transparency log: %w", err)
	}
	algorithms, err := algorithms()
	if err != nil {
		return nil, fmt.Errorf("fulcio: algorithms: %w", err)
	}
	service := server.NewGRPCCAServer(ctlog, ca, algorithms, server.NewIssuerPool(settings))
	gateway, err := gateway(ctx, service)
	if err != nil {
		return nil, fmt.Errorf("fulcio: %w", err)
	}
	return server.WithMaxBytes(withSettings(settings, gateway), maxRequest), nil
}

// gateway maps both versions of the HTTP interface to the service, in this process.
func gateway(ctx context.Context, service server.GRPCCAServer) (http.Handler, error) {
	mux := runtime.NewServeMux(
		runtime.WithMetadata(bearerToken),
		runtime.WithForwardResponseOption(answerHeaders))
	if err := protobuf.RegisterCAHandlerServer(ctx, mux, service); err != nil {
		return nil, fmt.Errorf("interface version 2: %w", err)
	}
	if err := legacy.RegisterCAHandlerServer(ctx, mux, server.NewLegacyGRPCCAServer(service)); err != nil {
		return nil, fmt.Errorf("interface version 1: %w", err)
	}
	return mux, nil
}

// withSettings hands the settings to the service, which looks for them in the context.
func withSettings(settings *config.FulcioConfig, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(config.With(r.Context(), settings)))
	})
}

// bearerToken passes the token of the Authorization header on to the service.
func bearerToken(_ context.Context, r *http.Request) metadata.MD {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	return metadata.Pairs(server.MetadataOIDCTokenKey, token)
}

// answerHeaders turns what the service says about its answer into HTTP: the detached SCT
// and the status code. Nothing else of the inner transport is shown.
func answerHeaders(ctx context.Context, w http.ResponseWriter, _ proto.Message) error {
	for name := range w.Header() {
		if strings.HasPrefix(name, "Grpc-") {
			w.Header().Del(name)
		}
	}
	md, ok := runtime.ServerMetadataFromContext(ctx)
	if !ok {
		return nil
	}
	if sct := md.HeaderMD.Get(server.SCTMetadataKey); len(sct) > 0 {
		w.Header().Set("SCT", sct[0])
	}
	if status := md.HeaderMD.Get(server.HTTPResponseCodeMetadataKey); len(status) > 0 {
		code, err := strconv.Atoi(status[0])
		if err != nil {
			return fmt.Errorf("status code: %w", err)
		}
		w.WriteHeader(code)
	}
	return nil
}

// algorithms are the kinds of key that the program certifies unless told otherwise.
func algorithms() (*signature.AlgorithmRegistryConfig, error) {
	return signature.NewAlgorithmRegistryConfig([]protocommon.PublicKeyDetails{
		protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256,
		protocommon.PublicKeyDetails_PKIX_ECDSA_P384_SHA_384,
		protocommon.PublicKeyDetails_PKIX_ECDSA_P521_SHA_512,
		protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_2048_SHA256,
		protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_3072_SHA256,
		protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_4096_SHA256,
		protocommon.PublicKeyDetails_PKIX_ED25519,
	})
}

func logger(w io.Writer) *zap.SugaredLogger {
	encoder := zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig())
	return zap.New(zapcore.NewCore(encoder, zapcore.AddSync(w), zapcore.InfoLevel)).Sugar()
}
