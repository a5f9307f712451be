#!/usr/bin/env bash
# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0
#
# install.sh GROUP…   installs the tools of tools/versions.txt that belong to the named
# groups into the cache folder and prints that folder. A tool that is there already, in the
# pinned version, is left alone. Each tool is built in its own GOBIN and renamed into place,
# so that an interrupted build leaves no half tool.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${CHARTSIGN_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/chartsign-tools}
mkdir -p "$bin"
bin=$(cd "$bin" && pwd) # go wants it absolute
building=''
trap '[ -z "$building" ] || rm -rf "$building"' EXIT

quiet() { grep -v "^go: downloading" >&2 || true; }

install_one() { # name package@version
  local name=$1 pkg=$2 version=${2##*@} tmp program start=$SECONDS
  [ -x "$bin/$name" ] && [ "$(cat "$bin/.$name.version" 2>/dev/null)" = "$pkg" ] && return
  echo "tools: building $name $version" >&2
  tmp=$(mktemp -d "$bin/.build.XXXXXX") && building=$tmp
  (cd "$tmp" && GOFLAGS='' GOTOOLCHAIN=local GOBIN="$tmp" CGO_ENABLED=0 go install -ldflags "-s -w" "$pkg" 2> >(quiet)) || { rm -rf "$tmp"; return 1; }
  program=$(find "$tmp" -maxdepth 1 -type f -perm -u+x | head -n 1)
  mv "$program" "$bin/$name"
  echo "$pkg" >"$bin/.$name.version"
  rm -rf "$tmp"
  echo "tools: $name $version ready after $((SECONDS - start)) s" >&2
}

while read -r name pkg group; do
  case "$name" in ''|'#'*) continue ;; esac
  for wanted in "$@"; do
    [ "$group" = "$wanted" ] && install_one "$name" "$pkg"
  done
done <"$here/versions.txt"
echo "$bin"
