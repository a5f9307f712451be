# shellcheck shell=bash
# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0
#
# provenance/peers.txt: what helm 4, helm 3 and gpg say of every line of vectors.txt.

says() { if "$@" >/dev/null 2>&1 </dev/null; then echo accepted; else echo refused; fi; }

peer_line() { # vector chart keyring
  local home=$work/gpg.peer-$3 name
  name=$(basename "$2")
  rm -rf "$work/peer" && mkdir -p "$work/peer"
  cp "$here/$2" "$work/peer/$name"
  cp "$here/provenance/$1" "$work/peer/$name.prov"
  if [ ! -d "$home" ]; then
    gpg_home "peer-$3" >/dev/null
    gpg --homedir "$home" --quiet --batch --import "$here/keys/$3.pub.gpg" 2>/dev/null
  fi
  printf '%-42s %-10s helm4 %-8s  helm3 %-8s  gpg %s\n' "$1" "$3" \
    "$(says "$helm" verify "$work/peer/$name" --keyring "$here/keys/$3.pub.gpg")" \
    "$(says "$helm3" verify "$work/peer/$name" --keyring "$here/keys/$3.pub.gpg")" \
    "$(says gpg --homedir "$home" --batch --trust-model always --verify "$work/peer/$name.prov")"
}

regenerate_peers() {
  local vector chart keyring
  {
    printf '# Made by regenerate.sh peers with %s, %s and %s\n' \
      "helm $("$helm" version --template '{{.Version}}')" "helm $("$helm3" version --template '{{.Version}}')" "$(gpg --version | head -n 1)"
    while read -r vector chart keyring _; do
      case "$vector" in '' | '#'*) continue ;; esac
      peer_line "$vector" "$chart" "$keyring"
    done <"$here/provenance/vectors.txt"
  } >"$work/peers.txt"
  mv "$work/peers.txt" "$here/provenance/peers.txt"
}
