package transport

import "fmt"

// Open returns Gnet, or Plain if gnet cannot be used here; the log says which and why. kind "gnet" or "plain" insists.
func Open(kind string, o Options) (*Sockets, error) {
	o = o.withDefaults()
	switch kind {
	case "plain":
		return Plain(o), nil
	case "gnet":
		return Gnet(o)
	case "", "auto":
		s, err := Gnet(o)
		if err != nil {
			o.Log.Warn("event loops cannot be used here; connections get goroutines of their own", "error", err)
			return Plain(o), nil
		}
		return s, nil
	}
	return nil, fmt.Errorf("unknown transport %q: use \"auto\", \"gnet\" or \"plain\"", kind)
}
