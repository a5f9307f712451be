// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"

	"github.com/chartsign/chartsign"
)

// newCredential returns where credentials come from: the options themselves, then Helm's
// file, then Docker's, each with its credential helpers. It keeps to Helm's order.
func newCredential(opts Options) (auth.CredentialFunc, error) {
	if opts.Username != "" || opts.Password != "" {
		return staticCredential(opts)
	}
	var stores []credentials.Store
	for _, path := range credentialFiles(opts) {
		store, err := credentials.NewStore(path, credentials.StoreOptions{})
		if err != nil {
			return nil, fmt.Errorf("registry credentials: %w", err)
		}
		stores = append(stores, store)
	}
	if len(stores) == 0 {
		return nil, nil
	}
	return credentials.Credential(credentials.NewStoreWithFallbacks(stores[0], stores[1:]...)), nil
}

func staticCredential(opts Options) (auth.CredentialFunc, error) {
	if opts.CredentialHost == "" {
		return nil, errors.New("registry credentials: want the one registry that username and password are meant for")
	}
	if opts.Password == "" {
		return nil, errors.New("registry credentials: got a username without a password")
	}
	credential := auth.Credential{Username: opts.Username, Password: opts.Password}
	if opts.Username == "" {
		credential = auth.Credential{AccessToken: opts.Password}
	}
	host := endpoint(chartsign.CanonicalRegistry(opts.CredentialHost))
	return func(_ context.Context, asked string) (auth.Credential, error) {
		if asked == host {
			return credential, nil
		}
		return auth.EmptyCredential, nil
	}, nil
}

func credentialFiles(opts Options) []string {
	getenv := opts.Getenv
	if getenv == nil {
		getenv = func(string) string { return "" }
	}
	var files []string
	if helm := firstOf(opts.RegistryConfig, getenv("HELM_REGISTRY_CONFIG")); helm != "" {
		files = append(files, helm)
	} else if home := helmConfigHome(getenv); home != "" {
		files = append(files, filepath.Join(home, "registry", "config.json"))
	}
	if dir := getenv("DOCKER_CONFIG"); dir != "" {
		files = append(files, filepath.Join(dir, "config.json"))
	} else if home := firstOf(getenv("HOME"), getenv("USERPROFILE")); home != "" {
		files = append(files, filepath.Join(home, ".docker", "config.json"))
	}
	return files
}

// helmConfigHome returns Helm's configuration folder as Helm finds it.
func helmConfigHome(getenv func(string) string) string {
	if dir := getenv("HELM_CONFIG_HOME"); dir != "" {
		return dir
	}
	if dir := getenv("XDG_CONFIG_HOME"); dir != "" {
		return filepath.Join(dir, "helm")
	}
	home := getenv("HOME")
	switch {
	case runtime.GOOS == "windows" && getenv("APPDATA") != "":
		return filepath.Join(getenv("APPDATA"), "helm")
	case home == "":
		return ""
	case runtime.GOOS == "darwin":
		return filepath.Join(home, "Library", "Preferences", "helm")
	default:
		return filepath.Join(home, ".config", "helm")
	}
}

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

// endpoint returns the host that serves registry. Docker Hub has another name for it.
func endpoint(registry string) string {
	if registry == "docker.io" {
		return "registry-1.docker.io"
	}
	return registry
}
