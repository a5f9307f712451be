# shellcheck shell=bash
# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0
#
# OpenPGP test keys. NAME.sec.* is exported before a key expires or is revoked, NAME.pub.*
# afterwards: whoever holds the secret can still sign.

make_key() { # name user-id parameters…
  local name=$1 uid=$2
  shift 2
  local home protection="%no-protection"
  home=$(gpg_home "key-$name")
  [ -n "${PASSPHRASE:-}" ] && protection="Passphrase: $PASSPHRASE"
  {
    printf '%s\n' "$@" "$protection"
    echo "Name-Real: ${uid% <*}"
    echo "Name-Email: $(sed 's/.*<\(.*\)>/\1/' <<<"$uid")"
    echo "Expire-Date: 0"
    echo "%commit"
  } | gpg_at "$home" "$key_time" --generate-key 2>"$work/gpg.log" || { cat "$work/gpg.log" >&2; return 1; }
  gpg_at "$home" "$key_time" --armor --export-secret-keys >"$here/keys/$name.sec.asc"
  gpg_at "$home" "$key_time" --export-secret-keys >"$here/keys/$name.sec.gpg"
}

export_key() { # name
  local home=$work/gpg.key-$1
  gpg_at "$home" "$key_time" --armor --export >"$here/keys/$1.pub.asc"
  gpg_at "$home" "$key_time" --export >"$here/keys/$1.pub.gpg"
}

fingerprint_of() { # name
  gpg_at "$work/gpg.key-$1" "$key_time" --with-colons --list-keys | awk -F: '$1 == "fpr" { print $10; exit }'
}

revoke_key() { # name reason: 1 compromised, 2 superseded
  local home=$work/gpg.key-$1
  printf 'y\n%s\n\ny\n' "$2" | gpg --homedir "$home" --no-options --quiet --no-tty --yes --faked-system-time "$end_time!" \
    --pinentry-mode loopback --passphrase '' --command-fd 0 --gen-revoke "$(fingerprint_of "$1")" >"$work/revocation" 2>/dev/null
  gpg_at "$home" "$end_time" --import "$work/revocation" 2>/dev/null
}

regenerate_keys() {
  local rsa=("Key-Type: RSA" "Key-Length: 3072" "Key-Usage: sign,cert")
  local encrypting=("Subkey-Type: RSA" "Subkey-Length: 3072" "Subkey-Usage: encrypt")
  local ed=("Key-Type: eddsa" "Key-Curve: ed25519" "Key-Usage: sign,cert" "Subkey-Type: eddsa" "Subkey-Curve: ed25519" "Subkey-Usage: sign")
  local split=("Key-Type: RSA" "Key-Length: 3072" "Key-Usage: cert" "Subkey-Type: RSA" "Subkey-Length: 3072" "Subkey-Usage: sign")
  local name
  rm -f "$here"/keys/*.{asc,gpg,kbx,txt}
  make_key release "Chartsign Test Release <release@chartsign.test>" "${rsa[@]}" "${encrypting[@]}"
  make_key maintainer "Chartsign Test Maintainer <maintainer@chartsign.test>" "${ed[@]}"
  make_key split "Chartsign Test Split <split@chartsign.test>" "${split[@]}"
  PASSPHRASE=chartsign-test make_key protected "Chartsign Test Protected <protected@chartsign.test>" "${rsa[@]}"
  make_key expired "Chartsign Test Expired <expired@chartsign.test>" "${rsa[@]}"
  make_key revoked "Chartsign Test Revoked <revoked@chartsign.test>" "${rsa[@]}"
  make_key retired "Chartsign Test Retired <retired@chartsign.test>" "${rsa[@]}"
  make_key short "Chartsign Test Short <short@chartsign.test>" "Key-Type: RSA" "Key-Length: 1024" "Key-Usage: sign,cert"
  make_key mallory "Mallory <mallory@chartsign.test>" "${rsa[@]}"
  make_key impostor "Chartsign Test Release <release@chartsign.test>" "${rsa[@]}"

  # A laptop that has the signing subkey only: the primary is a stub.
  gpg_at "$work/gpg.key-split" "$key_time" --armor --export-secret-subkeys >"$here/keys/split.laptop.sec.asc"
  gpg_at "$work/gpg.key-split" "$key_time" --export-secret-subkeys >"$here/keys/split.laptop.sec.gpg"
  gpg_at "$work/gpg.key-expired" "$edit_time" --quick-set-expire "$(fingerprint_of expired)" "$end_time"
  revoke_key revoked 1
  revoke_key retired 2

  for name in release maintainer split protected expired revoked retired short mallory impostor; do
    export_key "$name"
    gpg_at "$work/gpg.key-$name" "$key_time" --with-colons --list-keys |
      awk -F: -v name="$name" '$1 == "pub" || $1 == "sub" { kind = $1; usage = $12; gsub(/[A-Z]/, "", usage) } $1 == "fpr" { print name, kind, usage, $10 }'
  done >"$here/keys/fingerprints.txt"

  # Several keys in one file: armored blocks one after another, binary, and GnuPG's keybox.
  cat "$here"/keys/{release,maintainer,split}.pub.asc >"$here/keys/team.pub.asc"
  cat "$here"/keys/{release,maintainer,split}.pub.gpg >"$here/keys/team.pub.gpg"
  local home
  home=$(gpg_home team)
  gpg_at "$home" "$key_time" --import "$here/keys/team.pub.gpg" 2>/dev/null
  cp "$home/pubring.kbx" "$here/keys/team.kbx"
}
