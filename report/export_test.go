// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"maps"
	"slices"
)

// NextStepCodes are the codes that NextStep has something to say about.
func NextStepCodes() []string { return slices.Collect(maps.Keys(nextSteps)) }
