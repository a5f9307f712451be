// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/chartsign/chartsign/internal/limits"
)

// checkJSON refuses what two readers of one document may understand differently: an object
// with a name twice, and a name of the specification in another case, which Go's decoder
// would accept and others would not. Annotations may be named at will, but once.
func checkJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	if token != json.Delim('{') {
		return errors.New("want a JSON object")
	}
	if err := checkObject(decoder, false, 1); err != nil {
		return err
	}
	if decoder.More() {
		return errors.New("data after the end of the JSON object")
	}
	return nil
}

func checkObject(decoder *json.Decoder, free bool, depth int) error {
	seen := make(map[string]bool)
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		name, ok := token.(string)
		if !ok {
			return fmt.Errorf("got %v, want a name", token)
		}
		if seen[name] {
			return fmt.Errorf("the name %.80q stands twice in one object", name)
		}
		seen[name] = true
		if !free && !canonicalName(name) {
			return fmt.Errorf("the name %.80q differs from one of the specification in case only", name)
		}
		if err := checkValue(decoder, free || name == "annotations" || name == "platform", depth); err != nil {
			return err
		}
	}
	_, err := decoder.Token() // the closing brace
	return err
}

func checkValue(decoder *json.Decoder, free bool, depth int) error {
	if depth > limits.OCIJSONDepth {
		return fmt.Errorf("nesting is %w: got more than %d levels", limits.ErrTooLarge, limits.OCIJSONDepth)
	}
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		return checkObject(decoder, free, depth+1)
	case json.Delim('['):
		for decoder.More() {
			if err := checkValue(decoder, free, depth+1); err != nil {
				return err
			}
		}
		_, err = decoder.Token() // the closing bracket
	}
	return err
}

var specificationNames = []string{
	"schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "subject", "annotations",
	"digest", "size", "urls", "data", "platform",
}

func canonicalName(name string) bool {
	for _, known := range specificationNames {
		if name != known && strings.EqualFold(name, known) {
			return false
		}
	}
	return true
}
