# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0

# What may be released: who must have signed, which versions are good enough, and what is
# worth a warning. The lists are in data.yaml.
package chartsign

import data.chartsign.lib.versions

deny contains {
	"rule": "release-signer",
	"msg": sprintf("%s %s is not signed by any of %s", [input.name, input.version, concat(", ", data.release.signers)]),
	"solution": "have the release pipeline sign the chart",
} if {
	count(_release_signers) == 0
}

deny contains {
	"rule": "keyless-logged",
	"msg": sprintf("the signature of %s is in no transparency log", [signer.name]),
	"solution": "sign again with a log, or do not sign keyless",
} if {
	some signer in input.signers
	signer.kind == "keyless"
	not signer.logged
}

deny contains {
	"rule": "no-prerelease",
	"msg": sprintf("%s %s is a pre-release, and %s is production", [input.name, input.version, input.context.namespace]),
	"solution": "use a released version, or list the chart under release.prereleases",
} if {
	_production
	versions.prerelease(input.version)
	not input.name in data.release.prereleases
}

deny contains {
	"rule": "min-version",
	"msg": sprintf("%s %s is older than %s", [input.name, input.version, minimum]),
	"solution": sprintf("use %s or newer", [minimum]),
} if {
	minimum := data.release.minVersions[input.name]
	versions.older(input.version, minimum)
}

warn contains {"rule": "deprecated", "msg": sprintf("%s is deprecated", [input.name])} if {
	input.chart.deprecated == true
}

warn contains {"rule": "no-maintainers", "msg": sprintf("%s names no maintainers", [input.name])} if {
	count(object.get(input.chart, "maintainers", [])) == 0
}

_release_signers contains signer.name if {
	some signer in input.signers
	signer.name in data.release.signers
}

_production if input.context.namespace in data.release.production
