// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

// OutcomeOf is outcomeOf, for the test that compares it with docs/spec/reasons.md.
var OutcomeOf = outcomeOf
