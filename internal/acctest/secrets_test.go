package acctest

import (
	"encoding/base64"
	"testing"
)

// The search is worth something only if it finds.
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
	if piece, _ := leaks.find("Authorization: Basic ***, " + APIKey[:pieceLength-1]); piece != "" {
		t.Errorf("found %q where nothing is", piece)
	}
}
