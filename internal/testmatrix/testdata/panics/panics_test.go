package panics

import "testing"

func TestAccPanics(*testing.T) {
	go func() { panic("on purpose") }()
	<-make(chan struct{})
}
