# shellcheck shell=bash
# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0
#
# What Helm reads from each metadata/NAME.yaml. Helm is no dependency of this module, so the
# program has a throw-away module of its own.

regenerate_metadata() {
  mkdir -p "$work/metadata"
  cat >"$work/metadata/main.go" <<'EOF'
package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"helm.sh/helm/v4/pkg/chart/loader/archive"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"sigs.k8s.io/yaml"
)

func main() {
	inputs, err := filepath.Glob(filepath.Join(os.Args[1], "*.yaml"))
	check(err)
	for _, input := range inputs {
		name := strings.TrimSuffix(input, ".yaml")
		if !strings.Contains(filepath.Base(name), ".") {
			golden(name)
		}
	}
}

func golden(name string) {
	var files []*archive.BufferedFile
	for suffix, file := range map[string]string{".yaml": "Chart.yaml", ".requirements.yaml": "requirements.yaml"} {
		data, err := os.ReadFile(name + suffix)
		if err == nil {
			files = append(files, &archive.BufferedFile{Name: file, Data: []byte(strings.TrimPrefix(string(data), "\ufeff"))})
		}
	}
	chart, err := loader.LoadFiles(files)
	if err != nil {
		write(name+".refused", []byte(err.Error()+"\n"))
		return
	}
	asYAML, err := yaml.Marshal(chart.Metadata)
	check(err)
	write(name+".golden.yaml", asYAML)
	asJSON, err := json.Marshal(chart.Metadata)
	check(err)
	write(name+".golden.json", asJSON)
}

func write(name string, data []byte) { check(os.WriteFile(name, data, 0o644)) }

func check(err error) {
	if err != nil {
		panic(err)
	}
}
EOF
  rm -f "$here"/metadata/*.golden.* "$here"/metadata/*.refused
  (
    cd "$work/metadata"
    export GOFLAGS=-mod=mod GOTOOLCHAIN=local
    go mod init metadata 2>/dev/null
    go get helm.sh/helm/v4@"$(sed -n 's/^helm .*@\(v[0-9.]*\).*/\1/p' "$here/../tools/versions.txt")" 2>/dev/null
    go run . "$here/metadata"
  )
}
