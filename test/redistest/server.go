// Package redistest runs real Redis servers for tests, on ports of the loopback and in directories of the test.
package redistest

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience is how long anything may take on a busy machine.
const patience = 30 * time.Second

// Server is a redis-server of a test.
type Server struct {
	t    testing.TB
	args []string
	dir  string
	// Port is that of the loopback.
	Port int

	cmd  *exec.Cmd
	done chan struct{}
}

// Start runs a server, with these further arguments, until the test ends. It skips the test if there is no redis-server.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	Need(tb)
	s := &Server{t: tb, args: args, dir: tb.TempDir(), Port: FreePort(tb)}
	s.Run()
	tb.Cleanup(s.Kill)
	return s
}

// Need skips the test if there is no redis-server, and says so where the summary of a run finds it.
func Need(tb testing.TB) {
	tb.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		fmt.Printf("SKIPPED redis: %s needs redis-server, which is not installed\n", tb.Name())
		tb.Skip("redis-server is not installed")
	}
}

// FreePort returns a port of the loopback that nobody uses, whose successor by ten thousand (a cluster's bus) is a port, too.
func FreePort(tb testing.TB) int {
	tb.Helper()
	for {
		var config net.ListenConfig
		l, err := config.Listen(tb.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		if err := l.Close(); err != nil {
			tb.Fatal(err)
		}
		if port < 55000 {
			return port
		}
	}
}

// Address is where the server is.
func (s *Server) Address() string { return "127.0.0.1:" + strconv.Itoa(s.Port) }

// Run starts the server, again after Kill, and waits until it answers.
func (s *Server) Run() {
	s.t.Helper()
	args := append([]string{
		"--port", strconv.Itoa(s.Port), "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--appendonly", "no", "--daemonize", "no",
	}, s.args...)
	s.start(args...)
	s.await()
}

// start runs redis-server.
func (s *Server) start(args ...string) {
	s.t.Helper()
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd = exec.CommandContext(context.WithoutCancel(s.t.Context()), "redis-server", args...) // it is ended by Kill
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	done := make(chan struct{})
	s.done = done
	go func(cmd *exec.Cmd) {
		_ = cmd.Wait() // it is killed
		_ = log.Close()
		close(done)
	}(s.cmd)
}

// await waits until the port answers, whatever it says: a server with a password refuses to talk.
func (s *Server) await() {
	s.t.Helper()
	Eventually(s.t, "redis-server to answer", func() bool {
		var dialer net.Dialer
		conn, err := dialer.DialContext(s.t.Context(), "tcp", s.Address())
		if err != nil {
			return false
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		if _, err := conn.Write([]byte("PING\r\n")); err != nil {
			return false
		}
		line, err := bufio.NewReader(conn).ReadString('\n')
		return err == nil && line != ""
	})
}

// Kill ends the server as kill -9 does, and waits until it is gone.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.done
	s.cmd = nil
}

// Client talks to the server until the test ends.
func (s *Server) Client() *redis.Client {
	s.t.Helper()
	c := redis.NewClient(&redis.Options{Addr: s.Address()})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// FlushAll loses everything.
func (s *Server) FlushAll() {
	s.t.Helper()
	if err := s.Client().FlushAll(s.t.Context()).Err(); err != nil {
		s.t.Error(err)
	}
}

// Eventually waits until something holds.
func Eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	for end := time.Now().Add(patience); !holds(); {
		if time.Now().After(end) {
			tb.Fatalf("%s: not within %s", what, patience)
		}
		<-time.After(10 * time.Millisecond)
	}
}
