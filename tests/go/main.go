// Reads the YAML files that it is given with sigs.k8s.io/yaml, as kubectl does, and prints one JSON array for each: a value per document, null for an empty one, or an object with the key "error".
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	goyaml "go.yaml.in/yaml/v2"
	"sigs.k8s.io/yaml"
)

// documents splits a stream where the YAML parser does, by decoding it document by document.
func documents(text []byte) []any {
	values := []any{}
	decoder := goyaml.NewDecoder(bytes.NewReader(text))
	for {
		var document any
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return values
		}
		if err != nil {
			return append(values, map[string]any{"error": err.Error()})
		}
		again, err := goyaml.Marshal(document)
		if err != nil {
			return append(values, map[string]any{"error": err.Error()})
		}
		var value any
		if err := yaml.Unmarshal(again, &value); err != nil {
			return append(values, map[string]any{"error": err.Error()})
		}
		values = append(values, value)
	}
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		line, err := json.Marshal(documents(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))))
		if err != nil {
			fmt.Fprintln(os.Stderr, path, err)
			os.Exit(1)
		}
		fmt.Fprintln(out, string(line))
	}
}
