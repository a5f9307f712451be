# shellcheck shell=bash
# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0
#
# Packaged charts. Helm 4 keeps the files' times in the archive, so the same source gives
# the same bytes.

regenerate_charts() {
  mkdir -p "$work/source"
  cp -r "$here/charts/guestbook" "$work/source/"
  find "$work/source" -exec touch -d @1767225600 {} +
  "$helm" package "$work/source/guestbook" -d "$here/charts" >/dev/null
  "$helm" package "$work/source/guestbook" -d "$here/charts" --version 1.5.0-rc.1+build.7 --app-version 3.11-rc.1 >/dev/null
}
