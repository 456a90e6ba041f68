package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// sampleState is a state file with one instance that the CLI at hand has written, to be multiplied: an apply of 10,000
// instances takes it many minutes. Whatever else the CLI writes, such as an identity or none, is taken over.
type sampleState []byte

// with returns the state in which the one instance is replaced by one for each latch.
func (sample sampleState) with(latches []declaredLatch) ([]byte, error) {
	state, err := decodeObject(sample)
	if err != nil {
		return nil, err
	}
	resource, err := theOnly(state["resources"])
	if err != nil {
		return nil, fmt.Errorf("resources of the sample state: %w", err)
	}
	instance, err := theOnly(resource["instances"])
	if err != nil {
		return nil, fmt.Errorf("instances of the sample state: %w", err)
	}
	encoded, err := json.Marshal(instance)
	if err != nil {
		return nil, err
	}
	instances := make([]any, len(latches))
	for i, l := range latches {
		copied, err := decodeObject(encoded)
		if err != nil {
			return nil, err
		}
		if err := setInstance(copied, i, l); err != nil {
			return nil, err
		}
		instances[i] = copied
	}
	resource["instances"] = instances
	text, err := json.MarshalIndent(state, "", "  ") // As the CLI does, so that the size is the same.
	return append(text, '\n'), err
}

// setInstance makes an instance that of a latch, in the attributes that its resource has: a latch's, or the one of
// terraform_data that stands for it.
func setInstance(instance map[string]any, index int, l declaredLatch) error {
	attributes, ok := instance["attributes"].(map[string]any)
	if !ok {
		return errors.New("an instance without attributes")
	}
	instance["index_key"] = index
	if identity, ok := instance["identity"].(map[string]any); ok {
		identity["fusebill_id"] = l.customer
	}
	for name, value := range map[string]int64{
		"fusebill_id":        l.customer,
		"hubspot_id":         l.HubSpotID,
		"hubspot_company_id": l.HubSpotCompanyID,
	} {
		if _, ok := attributes[name]; ok {
			attributes[name] = value
		}
	}
	for _, name := range []string{"input", "output"} {
		if dynamic, ok := attributes[name].(map[string]any); ok {
			dynamic["value"] = l.HubSpotID
		}
	}
	return nil
}

// decodeObject keeps numbers as they are written: as floats the large ones would change.
func decodeObject(text []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var object map[string]any
	err := decoder.Decode(&object)
	return object, err
}

func theOnly(list any) (map[string]any, error) {
	items, _ := list.([]any)
	if len(items) != 1 {
		return nil, fmt.Errorf("want one, got %d", len(items))
	}
	object, ok := items[0].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("want an object, got %v", items[0])
	}
	return object, nil
}
