// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"sigs.k8s.io/yaml"

	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/internal/strictyaml"
)

// localConfig is read from the working directory. It may come with a pull request, and a
// pull request must not configure its own gate: it sets output and registry flags only.
const localConfig = "chartsign.yaml"

// applyConfig returns a hook that sets flags which neither the command line nor the
// environment has set: from the working directory's file, then from the user's.
func applyConfig(world *console) cli.BeforeFunc {
	return func(c *cli.Context) error {
		if err := applyFile(c, localConfig, localFlags); err != nil {
			return err
		}
		// XDG Base Directory Specification: relative paths are ignored. Here they would lead
		// into the working directory.
		folder := world.getenv("XDG_CONFIG_HOME")
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(world.getenv("HOME"), ".config")
		}
		if !filepath.IsAbs(folder) {
			return nil
		}
		return applyFile(c, filepath.Join(folder, "chartsign", "config.yaml"), nil)
	}
}

// applyFile sets the flags that the file names. With allowed, others are errors.
func applyFile(c *cli.Context, path string, allowed []string) error {
	data, err := limits.ReadFile(path, limits.TrustPolicy)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return usagef("configuration: %w", err)
	}
	if err := strictyaml.Check(data, limits.TrustPolicy); err != nil {
		return usagef("configuration %s: %w", path, err)
	}
	settings := make(map[string]any)
	if err := yaml.UnmarshalStrict(data, &settings); err != nil {
		return usagef("configuration %s: %w", path, err)
	}
	for name, value := range settings {
		switch {
		case strings.HasPrefix(name, "insecure"):
			return usagef("configuration %s: %q is a flag of the command line only", path, name)
		case allowed != nil && !slices.Contains(allowed, name):
			return usagef("configuration %s: %q may not be set by a file in the working directory", path, name).
				hint("trust, signers and policies come from flags, the environment, or the user's own chartsign/config.yaml")
		}
		if allowed != nil && name == "output" && strings.Contains(fmt.Sprint(value), "=") {
			return usagef("configuration %s: a file in the working directory may not say where reports are written", path).
				hint("give -o FORMAT=PATH on the command line")
		}
		if err := applySetting(c, path, name, value); err != nil {
			return err
		}
	}
	return nil
}

func applySetting(c *cli.Context, path, name string, value any) error {
	if !slices.ContainsFunc(commandsOf(c.App), func(command *cli.Command) bool { return hasFlag(command, name) }) {
		return usagef("configuration %s: unknown setting %q", path, name)
	}
	if !hasFlag(c.Command, name) || c.IsSet(name) {
		return nil
	}
	values, isList := value.([]any)
	if !isList {
		values = []any{value}
	}
	for _, one := range values {
		if err := c.Set(name, fmt.Sprint(one)); err != nil {
			return usagef("configuration %s: %q: %w", path, name, err)
		}
	}
	return nil
}

func hasFlag(command *cli.Command, name string) bool {
	return slices.ContainsFunc(command.Flags, func(flag cli.Flag) bool { return flag.Names()[0] == name })
}
