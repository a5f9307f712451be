// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

func versionCommand(world *console) *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Description: `Example:
  chartsign version -o json`,
		Flags:  []cli.Flag{outputFlag()},
		Action: func(c *cli.Context) error { return runVersion(c, world) },
	}
}

// versionInfo is the JSON form of version.
type versionInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func runVersion(c *cli.Context, world *console) error {
	if err := exactly(c, 0); err != nil {
		return err
	}
	outputs, err := parseOutputs(c)
	if err != nil {
		return err
	}
	info := versionInfo{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range build.Settings {
			if setting.Key == "vcs.revision" {
				info.Commit = setting.Value
			}
		}
	}
	if len(outputs) == 1 && outputs[0] == (output{format: "json"}) {
		return json.NewEncoder(world.stdout).Encode(info)
	}
	if len(outputs) != 1 || outputs[0] != (output{format: "text"}) {
		return usagef("version writes text or json, to standard output")
	}
	_, err = fmt.Fprintf(world.stdout, "chartsign %s (%s, %s)\n", info.Version, info.Go, info.Platform)
	return err
}
