# shellcheck shell=bash
# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0
#
# Provenance files over charts/guestbook-1.4.2.tgz: honest ones of the real programs, and
# hostile ones. The signatures are salted or dated, so the bytes differ at every run.

import_key() { # name…: into the one home that signs
  local name
  for name in "$@"; do
    gpg_at "$signing_home" "$sign_time" --import "$here/keys/$name.sec.gpg"
  done
}

# clearsign KEYS [gpg options] signs standard input; KEYS is NAME[,NAME]…
clearsign() { sign_with "$1" "${sign_at:-$sign_time}" --clearsign "${@:2}"; }

sign_with() { # keys time options…
  local users=() name time=$2
  for name in ${1//,/ }; do
    users+=(--local-user "$(awk -v n="$name" '$1 == n && $3 ~ /s/ { f = $4 } END { print f "!" }' "$here/keys/fingerprints.txt")")
  done
  gpg_at "$signing_home" "$time" --digest-algo SHA512 --cert-digest-algo SHA512 "${users[@]}" --armor "${@:3}"
}

# dash_escaped writes standard input as RFC 9580, 7.2 wants it between the armor lines.
dash_escaped() { sed 's/^-/- -/'; }

helm_sign() { # program keyring user passphrase-file destination
  local options=()
  [ -n "$4" ] && options=(--passphrase-file "$4")
  "$1" package "$work/source/guestbook" -d "$5" --sign --keyring "$2" --key "$3" "${options[@]}" >/dev/null
}

honest_by_helm() {
  local out=$made/honest
  mkdir -p "$work/helm4" "$work/rc" "$work/helm3" "$work/ed25519" "$work/protected" "$out/helm3"
  cp -r "$here/charts/guestbook" "$work/source/"
  find "$work/source" -exec touch -d @1767225600 {} +

  helm_sign "$helm" "$here/keys/release.sec.gpg" "Test Release" "" "$work/helm4"
  cmp "$work/helm4/guestbook-1.4.2.tgz" "$here/charts/guestbook-1.4.2.tgz"
  cp "$work/helm4/guestbook-1.4.2.tgz.prov" "$out/helm4.prov"

  helm_sign "$helm" "$here/keys/maintainer.sec.gpg" "Test Maintainer" "" "$work/ed25519"
  cp "$work/ed25519/guestbook-1.4.2.tgz.prov" "$out/helm4-ed25519.prov"

  printf chartsign-test >"$work/passphrase"
  helm_sign "$helm" "$here/keys/protected.sec.gpg" "Test Protected" "$work/passphrase" "$work/protected"
  cp "$work/protected/guestbook-1.4.2.tgz.prov" "$out/helm4-passphrase.prov"

  "$helm" package "$work/source/guestbook" -d "$work/rc" --version 1.5.0-rc.1+build.7 --app-version 3.11-rc.1 \
    --sign --keyring "$here/keys/release.sec.gpg" --key "Test Release" >/dev/null
  cp "$work/rc/guestbook-1.5.0-rc.1+build.7.tgz.prov" "$out/helm4-rc.prov"

  # Helm 3 stamps the archive with the time of day, so its .prov needs an archive of its own.
  helm_sign "$helm3" "$here/keys/release.sec.gpg" "Test Release" "" "$work/helm3"
  cp "$work/helm3/guestbook-1.4.2.tgz" "$made/honest/helm3/"
  cp "$work/helm3/guestbook-1.4.2.tgz.prov" "$out/helm3.prov"
}

honest_by_gpg() {
  local out=$made/honest
  clearsign release <"$body" >"$out/gpg.prov"
  clearsign maintainer <"$body" >"$out/gpg-subkey-ed25519.prov"
  clearsign split <"$body" >"$out/gpg-subkey.prov"
  clearsign release --digest-algo SHA256 <"$body" >"$out/gpg-sha256.prov"
  clearsign release,maintainer <"$body" >"$out/gpg-two-signers.prov"
  clearsign release --emit-version --comment "Signed for the tests of chartsign" <"$body" >"$out/gpg-armor-headers.prov"
  # Mail and Windows checkouts change the line ends; cleartext signatures do not cover them.
  sed 's/$/\r/' "$out/gpg.prov" >"$out/gpg-crlf.prov"
  # The shape of Helm before 3.21.4: CRC, no blank line before the signature, no newline at the end.
  printf %s "$(<"$out/gpg.prov")" >"$out/gpg-no-final-newline.prov"
}

# edited SED-PROGRAM… prints the honest body, edited
edited() { sed "$@" "$body"; }

# to NAME writes standard input to hostile/NAME.prov
to() { cat >"$made/hostile/$1.prov"; }

hostile_content() { # honestly signed, but not what we want signed
  local digest
  digest=$(sha256sum <"$here/charts/guestbook-1.4.2.tgz" | cut -d' ' -f1)
  edited "s/$digest/$(printf 2%.0s {1..64})/" | clearsign release | to digest-of-other-file
  edited "s/sha256:$digest/sha256:${digest^^}/" | clearsign release | to digest-upper-case
  edited "s/sha256:$digest/$digest/" | clearsign release | to digest-without-algorithm
  edited "s/sha256:$digest/sha512:$(sha512sum <"$here/charts/guestbook-1.4.2.tgz" | cut -d' ' -f1)/" | clearsign release | to digest-sha512
  { cat "$body" && echo "  other-1.0.0.tgz: sha256:$(printf 1%.0s {1..64})"; } | clearsign release | to extra-file
  edited "s/^  guestbook-1.4.2.tgz: .*/  guestbook-1.4.2.tgz: sha256:$(printf 1%.0s {1..64})\n&/" | clearsign release | to duplicate-file
  edited "s/^files:/files:\n  guestbook-1.4.2.tgz: sha256:$(printf 1%.0s {1..64})\n&/" | clearsign release | to duplicate-files
  { cat "$body" && printf 'approved: true\n'; } | clearsign release | to unknown-field-in-files
  edited 's/^files:/files: {}/; /^  guestbook-1.4.2.tgz:/d' | clearsign release | to files-empty
  edited '/^files:/,$d' | clearsign release | to files-missing
  edited '/^\.\.\.$/,$d' | clearsign release | to second-part-missing
  edited 's/^  guestbook-1.4.2.tgz:/  guestbook-1.4.3.tgz:/' | clearsign release | to other-file-name
  edited 's/^version: 1.4.2$/version: 1.4.2\nversion: 9.9.9/' | clearsign release | to duplicate-metadata-key
  edited 's/^name: guestbook$/name: guestbook\nName: wiki/' | clearsign release | to case-twin-metadata-key
  edited 's/^name: guestbook$/name: wiki/' | clearsign release | to other-chart-name
  edited 's/^version: 1.4.2$/version: 1.4.1/' | clearsign release | to other-version
  edited 's/^description: .*/description: A guestbook/' | clearsign release | to other-description
  edited 's/^appVersion: .*/appVersion: "3.9"/' | clearsign release | to other-app-version
  edited 's/^- condition: cache.enabled$/- condition: global.cache/' | clearsign release | to other-dependency
  { cat "$body" && printf '...\nfiles:\n  guestbook-1.4.2.tgz: sha256:%s\n' "$(printf 1%.0s {1..64})"; } | clearsign release | to third-part
  { printf 'name: wiki\n---\n' && cat "$body"; } | clearsign release | to second-document
  printf 'just a text\n' | clearsign release | to signed-prose
  printf '' | clearsign release | to signed-nothing
}

hostile_armor() { # changed after the signature was made
  local good=$made/honest/gpg.prov body_lines
  body_lines=$(grep -n 'BEGIN PGP SIGNATURE' "$good" | cut -d: -f1)
  sed 's/sha256:[0-9a-f]\{8\}/sha256:00000000/' "$good" | to tampered-digest
  sed 's/^description: .*/description: A better guestbook/' "$good" | to tampered-description
  { printf 'Approved by security.\n\n' && cat "$good"; } | to text-before
  { cat "$good" && printf '\nApproved by security.\n'; } | to text-after
  { cat "$good" "$good"; } | to second-block-same
  { clearsign mallory <"$body" && cat "$good"; } | to second-block-foreign-first
  { cat "$good" && edited 's/^version: 1.4.2$/version: 1.4.1/' | clearsign release; } | to second-block-other-version
  { cat "$good" && sed -n '/BEGIN PGP SIGNATURE/,$p' "$good"; } | to second-signature-block
  sed 's/^Hash: SHA512/Hash: SHA256/' "$good" | to hash-header-spoofed
  sed 's/^Hash: SHA512/Hash: SHA512, This chart was reviewed by security/' "$good" | to hash-header-with-text
  sed 's/^Hash: SHA512/Reviewed by security Hash: SHA512/' "$good" | to text-before-hash-header
  sed 's/^Hash: SHA512/Reviewed: by security\nHash: SHA512/' "$good" | to unknown-armor-header
  sed 's/^Hash: SHA512/Reviewed by security\nHash: SHA512/' "$good" | to text-among-armor-headers
  sed '/^Hash: SHA512/d' "$good" | to hash-header-missing
  sed 's/^Hash: SHA512/Hash: SHA512\nHash: SHA1/' "$good" | to hash-header-twice
  sed 's/^name: guestbook$/name: guestbook  \t/' "$good" | to trailing-whitespace
  sed 's/^- - /- /' "$good" | to dash-escape-missing
  head -n $((body_lines - 1)) "$good" | to truncated-before-signature
  head -n $((body_lines + 4)) "$good" | to truncated-in-signature
  head -n 6 "$good" | to truncated-in-body
  sed -n '/BEGIN PGP SIGNATURE/,$p' "$good" | to signature-only
  sed "$((body_lines + 3))s/[A-Za-z]/+/" "$good" | to signature-corrupted
  to not-signed <"$body"
  printf '' | to empty
  printf '\n' | to newline
  printf '<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head>\n<body><h1>Not Found</h1></body></html>\n' | to html-not-found
  printf '{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}\n' | to json-error
}

hostile_signature() { # a valid body under a signature that must not count
  local name
  for name in SHA1 SHA224 RIPEMD160; do
    clearsign release --digest-algo "$name" <"$body" | to "hash-${name,,}"
  done
  for name in mallory impostor revoked retired expired short; do
    clearsign "$name" <"$body" | to "signed-by-$name"
  done
  sign_at=$late_time clearsign expired <"$body" | to signed-by-expired-afterwards
  sign_at=$late_time clearsign retired <"$body" | to signed-by-retired-afterwards
  sign_at=20200101T120000 clearsign release --ignore-time-conflict <"$body" | to signed-before-key-was-made
  sign_at=20990101T120000 clearsign release <"$body" | to signed-in-the-future
  clearsign release --default-sig-expire 7d <"$body" | to signature-expired
  clearsign release --sig-notation '!review@chartsign.test=required' <"$body" | to critical-notation
  clearsign mallory,release --digest-algo SHA1 <"$body" | to two-signers-sha1
  clearsign mallory,impostor <"$body" | to two-signers-foreign

  # Signatures of type 0x00 (binary document) dressed as cleartext, over both line ends.
  local lines
  for lines in crlf lf; do
    {
      printf -- '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n'
      dash_escaped <"$body"
      { if [ $lines = crlf ]; then printf %s "$(<"$body")" | sed '$!s/$/\r/'; else printf %s "$(<"$body")"; fi; } |
        sign_with release "$sign_time" --detach-sign
    } | to "binary-signature-$lines"
  done
  # A message that carries its text inside (gpg --sign) and a detached signature.
  sign_with release "$sign_time" --sign <"$body" | to inline-message
  sign_with release "$sign_time" --detach-sign <"$here/charts/guestbook-1.4.2.tgz" | to detached-signature
}

regenerate_provenance() {
  made=$work/provenance # moved into place at the end, all or nothing
  mkdir -p "$work/source" "$made/honest" "$made/hostile"
  signing_home=$(gpg_home signing)
  import_key release maintainer split expired revoked retired short mallory impostor
  honest_by_helm
  body=$work/body
  # gpg -d prints what was signed, without dash escapes
  gpg_at "$signing_home" "$sign_time" --decrypt "$made/honest/helm4.prov" >"$body" 2>/dev/null || true
  grep -q '^  guestbook-1.4.2.tgz: sha256:' "$body"
  honest_by_gpg
  hostile_content
  hostile_armor
  hostile_signature
  rm -rf "$here/provenance/honest" "$here/provenance/hostile"
  mv "$made/honest" "$made/hostile" "$here/provenance/"
}
