package transport

import (
	"fmt"
	"io"
	"net"
	"testing"
)

// benchmarks runs one on both implementations.
func benchmarks(b *testing.B, bench func(b *testing.B, tr *Sockets)) {
	for _, kind := range []string{"plain", "gnet"} {
		b.Run(kind, func(b *testing.B) {
			tr, err := Open(kind, Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer tr.Close()
			bench(b, tr)
		})
	}
}

// benchHandler is a Handler that is one function.
type benchHandler func(c Conn, data []byte) int

func (h benchHandler) Opened(c Conn)                    { c.Established() }
func (h benchHandler) Received(c Conn, data []byte) int { return h(c, data) }
func (h benchHandler) Closed(Conn, error)               {}

func benchListen(b *testing.B, tr *Sockets, limits Limits, h Handler) Acceptor {
	b.Helper()
	a, err := tr.Listen("127.0.0.1:0", AcceptOptions{Limits: limits, Accept: func(Conn) Handler { return h }})
	if err != nil {
		b.Fatal(err)
	}
	return a
}

// BenchmarkEcho is the round trip of 128 bytes, the client on the standard net package in the same process.
func BenchmarkEcho(b *testing.B) {
	benchmarks(b, func(b *testing.B, tr *Sockets) {
		a := benchListen(b, tr, Limits{}, benchHandler(echo))
		c, err := net.Dial("tcp", a.Addr())
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		buf := make([]byte, 128)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Write(buf); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(c, buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkEchoManyConnections is the same over 64 connections that talk in turn, eight at a time in flight.
func BenchmarkEchoManyConnections(b *testing.B) {
	benchmarks(b, func(b *testing.B, tr *Sockets) {
		a := benchListen(b, tr, Limits{}, benchHandler(echo))
		const conns, inFlight = 64, 8
		var all []net.Conn
		for range conns {
			c, err := net.Dial("tcp", a.Addr())
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			all = append(all, c)
		}
		buf := make([]byte, 128)
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			if i >= inFlight {
				if _, err := io.ReadFull(all[(i-inFlight)%conns], buf); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := all[i%conns].Write(buf); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
}

// BenchmarkStream sends lent buffers to a reader on the standard net package that reads a mebibyte at a time.
func BenchmarkStream(b *testing.B) {
	for _, size := range []int{16 << 10, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			benchmarks(b, func(b *testing.B, tr *Sockets) {
				opened := make(chan Conn, 1)
				credit := make(chan struct{}, max(1, 4<<20/size))
				for range cap(credit) {
					credit <- struct{}{}
				}
				a, err := tr.Listen("127.0.0.1:0", AcceptOptions{Limits: Limits{Outbound: 16 << 20}, Accept: func(c Conn) Handler {
					opened <- c
					return benchHandler(func(_ Conn, data []byte) int { return len(data) })
				}})
				if err != nil {
					b.Fatal(err)
				}
				c, err := net.Dial("tcp", a.Addr())
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
				conn := <-opened
				total := int64(0)
				done := make(chan int64, 1)
				go func() {
					n, buf := int64(0), make([]byte, 1<<20)
					for {
						k, err := c.Read(buf)
						n += int64(k)
						if err != nil {
							done <- n
							return
						}
					}
				}()
				page, head := make([]byte, size), make([]byte, 64)
				b.SetBytes(int64(size))
				for b.Loop() {
					<-credit
					if err := conn.Writev(func() { credit <- struct{}{} }, head, page); err != nil {
						b.Fatal(err)
					}
					total += int64(size + len(head))
				}
				conn.Close(nil)
				if n := <-done; n != total {
					b.Fatalf("%d of %d bytes arrived", n, total)
				}
			})
		})
	}
}
