#!/usr/bin/env bash
# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0
#
# regenerate.sh [charts|keys|provenance|peers|metadata]…   makes the binary vectors of this
# folder again; see README.md. Without arguments: everything but keys, whose fingerprints
# other vectors and tests name.
#
# Needs gpg 2.2 or later and, in the versions of tools/versions.txt, helm (HELM=…) and
# helm3 (HELM3=…) on PATH; metadata needs go and the module helm.sh/helm/v4.
set -euo pipefail
export LC_ALL=C TZ=UTC
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
helm=${HELM:-helm}
helm3=${HELM3:-helm3}
for tool in gpg gpgconf "$helm" "$helm3"; do
  command -v "$tool" >/dev/null || { echo "regenerate: $tool is not on PATH; tools/install.sh e2e builds helm and helm3" >&2 && exit 1; }
done
work=$(mktemp -d /tmp/cs-XXXXXX) # short: gpg-agent's socket lies below it

cleanup() {
  local home
  for home in "$work"/gpg.*; do
    [ -d "$home" ] && gpgconf --homedir "$home" --kill all 2>/dev/null
  done
  rm -rf "$work"
}
trap cleanup EXIT

# Helm must not read or write what the machine has configured.
export HELM_CACHE_HOME=$work/helm/cache HELM_CONFIG_HOME=$work/helm/config HELM_DATA_HOME=$work/helm/data

# Keys are made at key_time, signatures of gpg at sign_time; the others are around those.
key_time=20260115T120000
edit_time=20260120T120000
sign_time=20260201T120000
end_time=20260301T120000
late_time=20260401T120000

gpg_home() { # name: makes an empty GnuPG home and prints it
  local home=$work/gpg.$1
  mkdir -p -m 700 "$home"
  echo "$home"
}

gpg_at() { # home time args…: gpg whose clock stands still at time
  local home=$1 time=$2
  shift 2
  gpg --homedir "$home" --no-options --quiet --batch --yes --faked-system-time "$time!" \
    --pinentry-mode loopback --passphrase "${PASSPHRASE:-}" --trust-model always "$@" \
    2> >(grep -v "faked system time" >&2 || true)
}

for part in charts keys provenance peers metadata; do
  # shellcheck source=/dev/null
  source "$here/regenerate/$part.sh"
done

[ $# -gt 0 ] || set -- charts provenance peers metadata
for part in "$@"; do
  case "$part" in
    charts | keys | provenance | peers | metadata) "regenerate_$part" ;;
    *) echo "regenerate: unknown part $part" >&2 && exit 1 ;;
  esac
  echo "regenerate: $part done" >&2
done
