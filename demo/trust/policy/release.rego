# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0

package chartsign

deny contains {
	"rule": "no-prerelease",
	"msg": sprintf("%s %s is a pre-release", [input.name, input.version]),
	"solution": "release it, or use an older version",
} if {
	contains(input.version, "-")
}

deny contains {"rule": "pipeline-logged", "msg": "the pipeline's signature is in no transparency log"} if {
	some signer in input.signers
	signer.name == "pipeline"
	not signer.logged
}

warn contains {"rule": "no-maintainers", "msg": sprintf("%s names no maintainers", [input.name])} if {
	count(object.get(input.chart, "maintainers", [])) == 0
}
