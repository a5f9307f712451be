#!/usr/bin/env bash
# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0
#
# bench.sh   whole runs of chartsign against whole runs of helm and cosign, in turn, on the
# sandbox that it starts and ends. 'make bench' builds what it needs and runs it.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools=$("$root/tools/install.sh" e2e)
cd "$root/e2e"
CHARTSIGN_BIN=$root/bin/chartsign SANDBOX_BIN=$root/bin/sandbox PATH=$tools:$PATH go run ./bench -data "$root/testdata" "$@"
