#!/usr/bin/env bash
# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0
#
# progress.sh LABEL COMMAND…   runs a 'go build -v' and shows how far it has come: on a
# terminal in one line that is written over, elsewhere a line for every 250 packages. What
# is no package name, such as an error, is passed on. Nothing is shown if all was built before.
set -uo pipefail
label=$1 built=0 fetched=0
shift
show() {
  if [ -t 2 ]; then
    printf '\r\e[K%s: %d modules fetched, %d packages built' "$label" "$fetched" "$built" >&2
  elif [ $(((built + fetched) % 250)) = 0 ]; then
    printf '%s: %d modules fetched, %d packages built\n' "$label" "$fetched" "$built" >&2
  fi
}
"$@" 2>&1 | {
  while IFS= read -r line; do
    case $line in
      "go: downloading "*) fetched=$((fetched + 1)) && show ;;
      *[!A-Za-z0-9_./~-]*) printf '%s\n' "$line" >&2 ;;
      *) built=$((built + 1)) && show ;;
    esac
  done
  if [ -t 2 ] && [ "$((built + fetched))" -gt 0 ]; then echo >&2; fi
}
exit "${PIPESTATUS[0]}"
