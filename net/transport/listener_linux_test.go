package transport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const dyingServer = "HIND_TEST_DYING_SERVER"

// TestDyingServer is the child of TestDeathRefusesAtOnce: it accepts until it is killed.
func TestDyingServer(t *testing.T) {
	if os.Getenv(dyingServer) == "" {
		return
	}
	s := Plain(Options{})
	a, err := s.Listen("127.0.0.1:0", AcceptOptions{Accept: func(Conn) Handler { return silent{} }})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("listens", a.Addr())
	<-context.Background().Done() // for ever
}

type silent struct{}

func (silent) Opened(Conn)                      {}
func (silent) Received(_ Conn, data []byte) int { return len(data) }
func (silent) Closed(Conn, error)               {}

// Whoever loses his connection to a process that dies and dials again at once is refused, never accepted by the dying one.
func TestDeathRefusesAtOnce(t *testing.T) {
	for range 30 {
		if err := redialDying(t); !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("dialled a process that had died: %v", err)
		}
	}
}

// redialDying kills a server under connections and says how a dial that follows the first reset ends.
func redialDying(t *testing.T) error {
	cmd := exec.Command(os.Args[0], "-test.run=^TestDyingServer$")
	cmd.Env = append(os.Environ(), dyingServer+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	address := ""
	for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
		address, _ = strings.CutPrefix(lines.Text(), "listens ")
		if !strings.Contains(lines.Text(), "listens ") {
			address = ""
		}
	}
	var last net.Conn
	for range 20 {
		if last, err = net.DialTimeout("tcp", address, 5*time.Second); err != nil {
			t.Fatal(err)
		}
		defer last.Close()
	}
	ended := make(chan error)
	go func() {
		_, _ = last.Read(make([]byte, 1)) // until it is reset
		c, err := net.DialTimeout("tcp", address, 5*time.Second)
		if err == nil {
			c.Close()
		}
		ended <- err
	}()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	return <-ended
}

func TestListenerIsHigh(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := raise(ln.(*net.TCPListener))
	if err != nil {
		t.Fatal(err)
	}
	high, ok := l.(*highListener)
	if !ok {
		t.Fatalf("the listener was not raised to %d", listenFrom())
	}
	if fd := high.file.Fd(); fd < listenFrom() {
		t.Fatalf("descriptor %d", fd)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.AcceptTCP(); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("accept after close: %v", err)
	}
}
