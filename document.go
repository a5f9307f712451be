// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	goyaml "go.yaml.in/yaml/v2"

	"github.com/chartsign/chartsign/internal/limits"
)

// checkDocuments checks a YAML stream before it is decoded. All content must be in the
// first document, because the decoder reads that one and ignores the rest. Aliases may not
// blow it up: a long text that is named 100,000 times is short as YAML and huge as JSON.
//
// The parser is the one below sigs.k8s.io/yaml, which Helm uses: what counts as a marker
// depends on encodings and line breaks that no simpler reader knows.
func checkDocuments(data []byte) error {
	decoder := goyaml.NewDecoder(bytes.NewReader(data))
	for count := 1; ; count++ {
		var document any
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if count > 1 && document != nil {
			return fmt.Errorf("got content in YAML document %d, want one document", count)
		}
		if expandedSize(document) > limits.ChartYAML {
			return fmt.Errorf("the content is %w with its aliases resolved: got more than %d bytes", limits.ErrTooLarge, limits.ChartYAML)
		}
	}
}

// expandedSize returns about how many bytes value takes as JSON.
func expandedSize(value any) int64 {
	size := int64(1)
	switch value := value.(type) {
	case string:
		size += int64(len(value))
	case []any:
		for _, item := range value {
			size += expandedSize(item)
		}
	case map[any]any:
		for key, item := range value {
			size += expandedSize(key) + expandedSize(item)
		}
	}
	return size
}
