// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package ctlog

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/extension"
	trillianlog "github.com/google/trillian/log"
	"github.com/google/trillian/monitoring"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/server"
	"github.com/google/trillian/server/interceptor"
	"github.com/google/trillian/storage"
	_ "github.com/google/trillian/storage/memory" // registers the storage provider "memory"
	"github.com/google/trillian/util/clock"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/klog/v2"
)

const (
	sequenceEvery = 100 * time.Millisecond
	sequenceLimit = 1000
	// rootEvery renews the tree head even when nothing came in.
	rootEvery = time.Hour
	// pipeSize is the buffer of the in-memory connection.
	pipeSize = 1 << 20
)

// startTrillian runs a log server and its sequencer in this process until ctx ends. Client
// and server are joined in memory: Trillian opens no port.
func startTrillian(ctx context.Context) (trillian.TrillianLogClient, int64, error) {
	metrics := monitoring.InertMetricFactory{}
	provider, err := storage.NewProvider("memory", metrics)
	if err != nil {
		return nil, 0, fmt.Errorf("trillian storage: %w", err)
	}
	registry := extension.Registry{
		AdminStorage:  provider.AdminStorage(),
		LogStorage:    provider.LogStorage(),
		QuotaManager:  quota.Noop(),
		MetricFactory: metrics,
	}
	logServer := server.NewTrillianLogRPCServer(registry, clock.System)
	tree, err := newTree(ctx, registry, logServer)
	if err != nil {
		return nil, 0, fmt.Errorf("trillian tree: %w", err)
	}
	trillianlog.InitMetrics(metrics)
	go sequence(ctx, registry, tree)

	client, err := connect(ctx, logServer)
	if err != nil {
		return nil, 0, fmt.Errorf("trillian connection: %w", err)
	}
	return client, tree.TreeId, nil
}

func newTree(ctx context.Context, registry extension.Registry, logServer *server.TrillianLogRPCServer) (*trillian.Tree, error) {
	tree, err := storage.CreateTree(ctx, registry.AdminStorage, &trillian.Tree{
		TreeState:       trillian.TreeState_ACTIVE,
		TreeType:        trillian.TreeType_LOG,
		DisplayName:     Prefix,
		MaxRootDuration: durationpb.New(rootEvery),
	})
	if err != nil {
		return nil, err
	}
	_, err = logServer.InitLog(ctx, &trillian.InitLogRequest{LogId: tree.TreeId})
	return tree, err
}

// sequence takes queued leaves into the tree, a batch at a time.
func sequence(ctx context.Context, registry extension.Registry, tree *trillian.Tree) {
	tick := time.NewTicker(sequenceEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		_, err := trillianlog.IntegrateBatch(ctx, tree, sequenceLimit, 0, rootEvery,
			clock.System, registry.LogStorage, registry.QuotaManager)
		if err != nil && ctx.Err() == nil {
			klog.ErrorS(err, "sequence")
		}
	}
}

func connect(ctx context.Context, logServer trillian.TrillianLogServer) (trillian.TrillianLogClient, error) {
	pipe := bufconn.Listen(pipeSize)
	rpc := grpc.NewServer(grpc.UnaryInterceptor(interceptor.ErrorWrapper))
	trillian.RegisterTrillianLogServer(rpc, logServer)
	go func() {
		if err := rpc.Serve(pipe); err != nil {
			klog.ErrorS(err, "serve trillian")
		}
	}()
	context.AfterFunc(ctx, rpc.Stop)

	conn, err := grpc.NewClient("passthrough:///trillian",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }))
	if err != nil {
		return nil, err
	}
	return trillian.NewTrillianLogClient(conn), nil
}
