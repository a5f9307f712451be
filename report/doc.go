// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package report turns judgements into what people and programs read: text, JSON and YAML.
// It decides nothing: every verdict and reason in a report is the gate's.
//
// The JSON form is a contract (apiVersion chartsign.dev/v1, kind Report; the schema is
// docs/spec/report.schema.json): fields are added, never renamed or removed. Lists are
// always there, if empty as []. Text may change with any version. Whatever comes from
// charts, registries or certificates is printed without control characters.
//
//	document := report.New(judgements)
//	if err := document.WriteText(os.Stdout, report.Style{Color: true}); err != nil {
//		return err
//	}
package report
