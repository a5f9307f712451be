# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0

package chartsign.lib.versions

# A pre-release has a hyphen before any build metadata (semver.org, 9 and 10).
prerelease(version) if contains(split(version, "+")[0], "-")

# semver.compare fails on what is no semantic version, and a failure denies.
older(version, minimum) if semver.compare(trim_prefix(version, "v"), minimum) < 0
