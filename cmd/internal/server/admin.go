package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hindmq/hind/broker"
	"github.com/hindmq/hind/broker/ha"
)

// admin is the HTTP port for probes, metrics and the operator.
type admin struct {
	s        *Server
	listener net.Listener
	server   *http.Server
	done     chan struct{}
}

// adminWait bounds how long a request waits for the node: a node that does not step is not healthy.
const adminWait = 2 * time.Second

// openAdmin binds a loopback address; any other is refused, since the port asks for no login.
func openAdmin(s *Server, address string) (*admin, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("admin port %q: %w; give host:port, 127.0.0.1:0 picks a free one", address, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("admin port %q: it asks for no login, so it listens on loopback only; use 127.0.0.1", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("admin port: %w; choose another with --admin", err)
	}
	a := &admin{s: s, listener: l, done: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.HandleFunc("GET /status", a.status)
	mux.HandleFunc("POST /activation", a.activation)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{a})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	a.server = &http.Server{Handler: sameHost(mux), ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	go func() { // owner: admin; ends when close shuts the server down, which waits
		defer close(a.done)
		if err := a.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("admin port", "error", err)
		}
	}()
	s.log.Info("admin port", "address", a.addr())
	return a, nil
}

// sameHost refuses what a web page of somebody else could send: a foreign Host or Origin.
func sameHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		ip := net.ParseIP(strings.Trim(host, "[]"))
		if host != "localhost" && (ip == nil || !ip.IsLoopback()) || r.Header.Get("Origin") != "" {
			http.Error(w, "the admin port answers local programs only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *admin) addr() string { return a.listener.Addr().String() }

func (a *admin) close() {
	ctx, cancel := context.WithTimeout(context.Background(), adminWait)
	defer cancel()
	if err := a.server.Shutdown(ctx); err != nil {
		_ = a.server.Close() // its connections are not worth waiting for any longer
	}
	<-a.done
}

// report asks the node.
func (a *admin) report(r *http.Request) (broker.Status, error) {
	ctx, cancel := context.WithTimeout(r.Context(), adminWait)
	defer cancel()
	return a.s.node.Report(ctx)
}

func (a *admin) healthz(w http.ResponseWriter, r *http.Request) {
	st, err := a.report(r)
	switch {
	case err != nil:
		http.Error(w, "the broker does not answer: "+err.Error(), http.StatusServiceUnavailable)
	case st.Fenced != "":
		http.Error(w, "fenced: "+st.Fenced, http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, "ok")
	}
}

// readyz: this broker does what its role asks for: it serves clients, or stands by in sync.
func (a *admin) readyz(w http.ResponseWriter, r *http.Request) {
	st, err := a.report(r)
	switch {
	case err != nil:
		http.Error(w, "the broker does not answer: "+err.Error(), http.StatusServiceUnavailable)
	case !st.Serving && st.Role != ha.RoleStandby.String():
		http.Error(w, "not ready: "+st.Role, http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, "ready: "+st.Role)
	}
}

func (a *admin) status(w http.ResponseWriter, r *http.Request) {
	st, err := a.report(r)
	if err != nil {
		http.Error(w, "the broker does not answer: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(st) // the client is gone
}

// activation takes the operator's word: {"decision": "activate"}.
func (a *admin) activation(w http.ResponseWriter, r *http.Request) {
	var word struct{ Decision string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1024)).Decode(&word); err != nil {
		http.Error(w, "body: "+err.Error(), http.StatusBadRequest)
		return
	}
	st, err := a.report(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	if word.Decision == "hand-over" {
		a.s.node.Post(ha.HandOver{})
		fmt.Fprintln(w, "asked the role machine to hand over")
		return
	}
	for _, c := range st.Choices {
		if c.Decision == word.Decision {
			a.s.node.Post(ha.Decide{Decision: c.Word})
			fmt.Fprintln(w, "told the role machine: "+c.Decision)
			return
		}
	}
	http.Error(w, fmt.Sprintf("%q is not asked for now; see hind activation list", word.Decision), http.StatusConflict)
}

// collector reads the node's figures when it is scraped.
type collector struct{ a *admin }

func (collector) Describe(chan<- *prometheus.Desc) {} // unchecked: what there is depends on the role

func (c collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), adminWait)
	defer cancel()
	st, err := c.a.s.node.Report(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
		return
	}
	for _, m := range st.Metrics() {
		kind := prometheus.GaugeValue
		if m.Counter {
			kind = prometheus.CounterValue
		}
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc("hind_"+m.Name, m.Help, nil, nil), kind, m.Value)
	}
}
