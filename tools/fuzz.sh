#!/usr/bin/env bash
# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0
#
# fuzz.sh [FOLDER…]   runs every fuzz target of this module, or of the named folders, one after
# the other for FUZZTIME (default 10s) each. All targets run even if one fails; the exit code
# tells. A failing input is kept by the go command under testdata/fuzz of its package: turn it
# into a regression test that is named for the bug.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
fuzztime=${FUZZTIME:-10s}

targets() { # prints FOLDER NAME
  find "${@:-.}" \( -name testdata -o -name '.?*' -o -path ./sandbox -o -path ./e2e \) -prune -o \
    -name '*_test.go' -type f -print0 | sort -z |
    { xargs -0 -r grep -HoE '^func Fuzz[A-Za-z0-9_]*' || true; } |
    while IFS=: read -r file func; do
      echo "$(dirname "$file") ${func#func }"
    done
}

count=0 failed=()
while read -r folder name; do
  count=$((count + 1))
  echo "fuzz: $folder $name for $fuzztime"
  case $folder in ./* | /*) ;; *) folder=./$folder ;; esac
  go test -run '^$' -fuzz "^$name\$" -fuzztime "$fuzztime" "$folder" </dev/null || failed+=("$folder $name")
done < <(targets "$@")

if [ "$count" = 0 ]; then
  echo "fuzz: no target found" >&2
  exit 1
fi
for target in ${failed[@]+"${failed[@]}"}; do echo "fuzz: FAILED $target" >&2; done
echo "fuzz: ${#failed[@]} of $count targets failed"
[ "${#failed[@]}" = 0 ]
