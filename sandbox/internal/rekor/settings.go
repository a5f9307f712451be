// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package rekor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
)

// arguments of the server. Its metrics stand on the host of its HTTP port, on loopback.
func arguments(cfg Config, ports []int) []string {
	return []string{
		"serve",
		"--hostname", Origin,
		"--http-address", Origin, "--http-port", strconv.Itoa(ports[0]),
		"--grpc-address", Origin, "--grpc-port", strconv.Itoa(ports[1]),
		"--http-metrics-port", strconv.Itoa(ports[2]),
		"--storage-dir", cfg.Storage,
		"--signer-filepath", cfg.KeyFile,
		"--checkpoint-interval", checkpointEvery,
		"--batch-max-age", batchEvery,
		"--persistent-antispam",
	}
}

// environment of the server: next to nothing, so that no setting of the caller (telemetry,
// proxies, cloud credentials) reaches it.
func environment() []string {
	env := []string{"OTEL_SDK_DISABLED=true"}
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// freePorts asks the kernel for loopback ports that are free now. All are held until the
// last is known, so that they differ.
func freePorts(ctx context.Context, n int) (ports []int, err error) {
	var held []net.Listener
	defer func() {
		for _, listener := range held {
			err = errors.Join(err, listener.Close())
		}
	}()
	for range n {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", Origin+":0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		held = append(held, listener)
		address, err := netip.ParseAddrPort(listener.Addr().String())
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		ports = append(ports, int(address.Port()))
	}
	return ports, nil
}

func address(port int) string { return net.JoinHostPort(Origin, strconv.Itoa(port)) }
