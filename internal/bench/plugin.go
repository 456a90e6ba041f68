package main

import (
	"os"
	"path/filepath"
	"strconv"
)

const (
	pluginPackage = "github.com/fusebill/terraform-provider-fusebill/internal/bench/plugin"
	// See the plugin's main.go.
	envMode   = "FUSEBILL_BENCH_MODE"
	envMemory = "FUSEBILL_BENCH_MEMORY"
)

// mode is which provider the plugin is.
type mode string

const (
	production mode = ""
	naive      mode = "naive"   // makes a call for each read
	instant    mode = "instant" // answers reads at once, from the state
)

// peakMemory is the most that any of the plugin's processes took, by the files that they left in a folder, which is then
// emptied. It is 0 where they can't tell.
func peakMemory(folder string) (int64, error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return 0, err
	}
	var most int64
	for _, file := range files {
		path := filepath.Join(folder, file.Name())
		text, err := os.ReadFile(path)
		if err != nil {
			return 0, err
		}
		bytes, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			return 0, err
		}
		most = max(most, bytes)
		if err := os.Remove(path); err != nil {
			return 0, err
		}
	}
	return most, nil
}
