#!/usr/bin/env bash
# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0
#
# demo.sh   one chart's way from signing to admission, and every way that it is refused,
# against a private Sigstore and registries that it starts on loopback and ends again. Shows
# each command with its output and exit code; succeeds only if each was as it should be.
# Wants CHARTSIGN_BIN and SANDBOX_BIN: 'make demo' builds both and sets them.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
data=$here/../testdata
: "${CHARTSIGN_BIN:?make demo sets it}" "${SANDBOX_BIN:?make demo sets it}"
work=$(mktemp -d) pid='' started=$SECONDS summary=() failed=0
for name in $(compgen -e | grep '^CHARTSIGN_' | grep -v '^CHARTSIGN_BIN$'); do unset "$name"; done
export HOME=$work/home XDG_CONFIG_HOME=$work/home/config CHARTSIGN_PLAIN_HTTP=true
mkdir -p "$HOME"
finish() {
  [ -z "$pid" ] || { kill "$pid" && wait "$pid"; } 2>/dev/null
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM
bold() { if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then printf '\e[1m%s\e[0m\n' "$*"; else printf '%s\n' "$*"; fi; }
chapter() { echo; bold "== $*"; }

expect() { # CODE WHAT ARG…   runs chartsign and compares the exit code
  local want=$1 what=$2 got=0 verdict=ok
  shift 2
  echo; bold "\$ chartsign $*"
  (cd "$work" && "$CHARTSIGN_BIN" "$@" 2>&1) | sed 's/^/  /'
  got=${PIPESTATUS[0]}
  [ "$got" = "$want" ] || { verdict="WRONG, want $want"; failed=1; }
  echo "  exit code $got: $verdict"
  summary+=("$(printf '%-58s %d  %s' "$what" "$got" "$verdict")")
}
shows() { # TEXT CODE WHAT ARG…   as expect, and the output must hold TEXT
  local text=$1 log=$work/output
  shift
  expect "$@" > >(tee "$log"); wait "$!"
  grep -qF -- "$text" "$log" || { failed=1; summary+=("  … without saying '$text': WRONG"); }
}

chapter "Starting a throw-away registry and Sigstore on loopback"
"$SANDBOX_BIN" up --state "$work/sandbox" --parent-pid $$ --timeout 10m >/dev/null 2>"$work/sandbox.log" & pid=$!
for _ in $(seq 1 600); do
  [ -s "$work/sandbox/env" ] && break
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
[ -s "$work/sandbox/env" ] || { echo "demo: the sandbox did not start:"; cat "$work/sandbox.log"; exit 1; }
# shellcheck source=/dev/null
. "$work/sandbox/env"
charts=oci://$SANDBOX_REGISTRY_REFERRERS/charts
echo "registry $SANDBOX_REGISTRY_REFERRERS, Fulcio $SANDBOX_FULCIO_URL, Rekor $SANDBOX_REKOR_URL"

cp "$data/charts/guestbook-1.4.2.tgz" "$data"/charts/guestbook-1.5.0-rc.1+build.7.tgz "$work"
cp -r "$here/trust" "$work/trust"
cp "$data/keys/release.sec.asc" "$work/secret.asc" # a test key; anybody has it
cp "$SANDBOX_SIGNING_CONFIG" "$work"
cp "$data/keys/release.pub.asc" "$SANDBOX_TRUSTED_ROOT" "$work/trust"
sed -i "s|@ISSUER@|$SANDBOX_OIDC_ISSUER|; s|@REGISTRY@|$SANDBOX_REGISTRY_REFERRERS|" "$work"/trust/*.yaml
token() { "$SANDBOX_BIN" token --issuer "$SANDBOX_OIDC_ISSUER" --email "$1" >"$work/token"; }
keyless=(--keyless --identity-token @token --signing-config signing_config.json --trusted-root trust/trusted_root.json)
pgp=(--pgp-key release@chartsign.test --keyring secret.asc)

chapter "A release engineer signs with OpenPGP, pushes, and signs the manifest keyless"
expect 0 "sign a local chart with OpenPGP" sign guestbook-1.4.2.tgz "${pgp[@]}"
token pipeline@chartsign.test
expect 0 "push with .prov, signed keyless" push guestbook-1.4.2.tgz "$charts" "${keyless[@]}"
expect 0 "show what is attached" tree "$charts/guestbook:1.4.2"

chapter "A gate judges it: both signers are required, and a Rego policy decides"
sed 's/^/  | /' "$work/trust/trust.yaml"
shows ALLOWED 0 "signed by both, allowed by the policy" verify "$charts/guestbook:1.4.2" --trust trust/trust.yaml
mkdir "$work/pulled"
expect 0 "pull exactly what was judged" pull "$charts/guestbook:1.4.2" --trust trust/trust.yaml --destination pulled --quiet
cmp -s "$work/pulled/guestbook-1.4.2.tgz" "$work/guestbook-1.4.2.tgz" || { failed=1; summary+=("  … what was pulled is not what was pushed: WRONG"); }

chapter "Everything else is refused, each for its own reason"
cp "$work/guestbook-1.4.2.tgz.prov" "$work/tampered.tgz.prov"
# the same chart, packed anew by somebody: other bytes, same content
gzip -dc "$work/guestbook-1.4.2.tgz" | gzip -1n >"$work/tampered.tgz"
shows digest-mismatch 4 "a tampered archive" verify tampered.tgz --keyring trust/release.pub.asc
shows signer-not-trusted 4 "a wrong signer" verify "$charts/guestbook:1.4.2" --trusted-root trust/trusted_root.json \
  --certificate-identity somebody.else@chartsign.test --certificate-oidc-issuer "$SANDBOX_OIDC_ISSUER"
cp "$work"/guestbook-1.5.0-rc.1+build.7.tgz "$work/rc.tgz"
expect 0 "push a chart without any signature" push rc.tgz "$charts"
shows no-evidence 3 "an unsigned chart" verify "$charts/guestbook:1.5.0-rc.1_build.7" --trust trust/trust.yaml
token pipeline@chartsign.test
expect 0 "sign it in the registry, both ways" sign "$charts/guestbook:1.5.0-rc.1_build.7" "${pgp[@]}" "${keyless[@]}"
shows "deny no-prerelease" 2 "a version that the policy denies" verify "$charts/guestbook:1.5.0-rc.1_build.7" --trust trust/trust.yaml
kill "$pid"; wait "$pid" 2>/dev/null; pid=''
shows unavailable 5 "a registry that is down" verify "$charts/guestbook:1.4.2" --trust trust/trust.yaml

chapter "What was shown (exit code)"
printf '  %s\n' "${summary[@]}"
echo
[ "$failed" = 0 ] || { echo "demo: something went WRONG"; exit 1; }
echo "demo: everything went as it should, in $((SECONDS - started)) s"
