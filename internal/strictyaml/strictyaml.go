// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package strictyaml refuses YAML that two readers could understand differently: content
// in a second document, a key that stands twice, and aliases that blow up. It decodes
// nothing: whoever has checked a text decodes it with sigs.k8s.io/yaml, as Helm does.
//
// The parser is the one below sigs.k8s.io/yaml: what counts as a document marker depends
// on encodings and line breaks that no simpler reader knows. Every package may import this
// one; it imports internal/limits only.
//
//	if err := strictyaml.Check(data, limits.ChartYAML); err != nil {
//		return err // wraps ErrDuplicateKey or ErrDocuments where it is about those
//	}
//	err := yaml.Unmarshal(data, &target)
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	goyaml "go.yaml.in/yaml/v2"

	"github.com/chartsign/chartsign/internal/limits"
)

// ErrDuplicateKey is wrapped by errors about a key that stands twice in one mapping.
var ErrDuplicateKey = errors.New("duplicate key")

// ErrDocuments is wrapped by errors about content in a second document.
var ErrDocuments = errors.New("several YAML documents")

// Check refuses what this package is about. Limit bounds the size that data has with its
// aliases resolved, in bytes: a long text that is named 100,000 times is short as YAML and
// huge in memory.
func Check(data []byte, limit int64) error {
	decoder := goyaml.NewDecoder(bytes.NewReader(data))
	decoder.SetStrict(true)
	for count := 1; ; count++ {
		var document any
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return duplicateOr(err, data)
		}
		if count > 1 && document != nil {
			return fmt.Errorf("%w: got content in document %d, want one document", ErrDocuments, count)
		}
		if expandedSize(document) > limit {
			return fmt.Errorf("the content is %w with its aliases resolved: got more than %d bytes", limits.ErrTooLarge, limit)
		}
	}
}

// duplicateOr tells a duplicate key, which is all that the strict decoder refuses of what
// the lax one accepts, from a text that is no YAML.
func duplicateOr(err error, data []byte) error {
	lax := goyaml.NewDecoder(bytes.NewReader(data))
	for {
		var document any
		switch laxErr := lax.Decode(&document); {
		case errors.Is(laxErr, io.EOF):
			return fmt.Errorf("%w: %w", ErrDuplicateKey, err)
		case laxErr != nil:
			return err
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
