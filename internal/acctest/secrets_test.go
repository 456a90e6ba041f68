package acctest

import (
	"encoding/base64"
	"strings"
	"testing"
)

// TestKeepsKey_finds looks for parts of the key at every position.
func TestKeepsKey_finds(t *testing.T) {
	t.Parallel()
	decoded, err := base64.StdEncoding.DecodeString(APIKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		APIKey, "the key is " + APIKey[:pieceLength], APIKey[len(APIKey)-pieceLength:],
		string(decoded[3 : 3+pieceLength]), "Authorization: Basic " + APIKey[:1] + "…",
	} {
		if piece, _ := leaks.find(text); piece == "" {
			t.Errorf("nothing found in %q", text)
		}
	}
	for offset := range 2 * pieceLength {
		text := strings.Repeat(".", offset) + APIKey[5:5+pieceLength]
		if piece, _ := leaks.find(text + "..."[offset%4:]); piece == "" {
			t.Errorf("nothing found at %d of %q", offset, text)
		}
	}
	if piece, _ := leaks.find("Authorization: Basic ***, " + APIKey[:pieceLength-1]); piece != "" {
		t.Errorf("found %q where nothing is", piece)
	}
}
