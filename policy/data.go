// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	yaml2 "go.yaml.in/yaml/v2"
	"sigs.k8s.io/yaml"

	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/internal/strictyaml"
)

// mergeDocuments parses the documents and merges their objects. Two documents may add to the
// same object, but never set the same key to a value.
func mergeDocuments(documents []document) (map[string]any, error) {
	merged := make(map[string]any)
	for _, doc := range documents {
		value, err := parseDocument(doc)
		if err != nil {
			return nil, sourceError(ErrData, doc.path, err)
		}
		for _, name := range slices.Backward(doc.under) {
			value = map[string]any{name: value}
		}
		if err := merge(merged, value, "data"); err != nil {
			return nil, sourceError(ErrData, doc.path, err)
		}
	}
	return merged, checkData(merged)
}

// checkData refuses data where rules live: it could not shadow them, but it would be read
// by a policy that has lost the module it was written for.
func checkData(data map[string]any) error {
	if _, ok := data[packageName]; ok {
		return mistake(ErrData, nil, "got the top-level key %s, want another one: data.%s is the package of the rules", packageName, packageName)
	}
	return nil
}

// parseDocument reads one YAML or JSON document with an object at the top; a key that
// occurs twice and anything after the document are errors.
func parseDocument(doc document) (map[string]any, error) {
	text := doc.text
	if !strings.EqualFold(filepath.Ext(doc.name), ".json") {
		if err := checkYAML(text); err != nil {
			return nil, err
		}
		converted, err := yaml.YAMLToJSONStrict(text)
		if err != nil {
			return nil, err
		}
		text = converted
	}
	value, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("got %s, want an object", typeName(value))
	}
	return object, nil
}

// checkYAML refuses what two readers could understand differently.
func checkYAML(text []byte) error {
	if err := strictyaml.Check(text, limits.PolicyData); err != nil {
		return err
	}
	var document any
	if err := yaml2.Unmarshal(text, &document); err != nil {
		return err
	}
	if document == nil {
		return errors.New("got an empty file, want an object")
	}
	return checkYAMLKeys(document)
}

// checkYAMLKeys refuses keys that are no strings: 1 and "1" would become the same key.
func checkYAMLKeys(value any) error {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			if err := checkYAMLKeys(element); err != nil {
				return err
			}
		}
	case map[any]any:
		for key, element := range v {
			if _, ok := key.(string); !ok {
				return fmt.Errorf("got the key %v, want a string: put it in quotes", key)
			}
			if err := checkYAMLKeys(element); err != nil {
				return err
			}
		}
	}
	return nil
}

// parseJSON decodes exactly one value. Numbers stay as they are written, and a key that an
// object has twice is an error: which of them counts would depend on the reader.
func parseJSON(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	value, err := parseValue(decoder, 0)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("got more after the first value, want the end of the file")
	}
	return value, nil
}

// maxNesting is that of encoding/json, which Decoder.Token does not enforce.
const maxNesting = 10_000

func parseValue(decoder *json.Decoder, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("nesting is %w: want at most %d levels", limits.ErrTooLarge, maxNesting)
	}
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return parseObject(decoder, depth)
	case json.Delim('['):
		return parseArray(decoder, depth)
	default:
		return token, nil
	}
}

func parseObject(decoder *json.Decoder, depth int) (any, error) {
	object := make(map[string]any)
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		key, ok := token.(string)
		if !ok {
			return nil, fmt.Errorf("got the key %v, want a string", token)
		}
		if _, ok := object[key]; ok {
			return nil, fmt.Errorf("got the key %q twice, want it once", key)
		}
		if object[key], err = parseValue(decoder, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := decoder.Token()
	return object, err
}

func parseArray(decoder *json.Decoder, depth int) (any, error) {
	array := []any{}
	for decoder.More() {
		value, err := parseValue(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	_, err := decoder.Token()
	return array, err
}

// merge adds the keys of src to dst.
func merge(dst, src map[string]any, path string) error {
	for _, key := range slices.Sorted(maps.Keys(src)) {
		old, exists := dst[key]
		if !exists {
			dst[key] = src[key]
			continue
		}
		oldObject, ok1 := old.(map[string]any)
		newObject, ok2 := src[key].(map[string]any)
		if !ok1 || !ok2 {
			return fmt.Errorf("got %s.%s from two files, want it in one", path, key)
		}
		if err := merge(oldObject, newObject, path+"."+key); err != nil {
			return err
		}
	}
	return nil
}

// copyData returns data as JSON would carry it, so that later changes by the caller, and
// types that Rego does not know, do not reach the policy.
func copyData(data map[string]any) (map[string]any, error) {
	if data == nil {
		return map[string]any{}, nil
	}
	text, err := json.Marshal(data)
	if err != nil {
		return nil, mistake(ErrData, nil, "%v", err)
	}
	if int64(len(text)) > limits.PolicyData {
		return nil, sourceError(ErrData, "", fmt.Errorf("data is %w: got %d bytes, want at most %d", limits.ErrTooLarge, len(text), limits.PolicyData))
	}
	value, err := parseJSON(text)
	if err != nil {
		return nil, sourceError(ErrData, "", err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, mistake(ErrData, nil, "got %s, want an object", typeName(value))
	}
	return object, checkData(object)
}
