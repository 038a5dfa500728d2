package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Load reads broker.xml at path, and the files with users and roles beside it, into a checked Config. Without a path it
// returns the embedded defaults. The notices say what of the file is taken differently from Artemis, in the order of the
// file; show them at start. The error is an Errors or a single *Error and lists every mistake found, each with its place.
func Load(path string) (*Config, []Notice, error) {
	if path == "" {
		c := Default()
		return c, []Notice{{Text: fmt.Sprintf("no broker.xml is given: listening on %s:%d only, no login is asked for, data in ./%s",
			c.Acceptors[0].Host, c.Acceptors[0].Port, c.Journal.Dir)}}, c.Validate()
	}
	data, err := readBounded(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, &Error{File: path, Problem: "the file does not exist",
			Next: "correct the path, or start without --config for the embedded defaults"}
	case err != nil:
		return nil, nil, &Error{File: path, Problem: err.Error(), Next: "make the file readable"}
	}
	l := &loader{cfg: forFile(path)}
	if err := l.broker(data); err != nil {
		return nil, nil, err
	}
	if l.cfg.Security.Enabled {
		l.loadUsers(filepath.Dir(path))
	}
	return l.finish()
}

// parse is Load for bytes at hand, without users and roles: what the fuzz target and most tests drive.
func parse(path string, data []byte) (*Config, []Notice, error) {
	l := &loader{cfg: forFile(path)}
	if err := l.broker(data); err != nil {
		return nil, nil, err
	}
	return l.finish()
}

func (l *loader) broker(data []byte) error {
	root, err := parseXML(l.cfg.File, data)
	if err != nil {
		return err
	}
	l.configuration(root)
	if len(l.errs) == 0 { // a value with a mistake is not to be computed with
		l.journalFiles()
	}
	return nil
}

// finish checks the settings against each other, but only if each is right by itself: the rest would be noise.
func (l *loader) finish() (*Config, []Notice, error) {
	if len(l.errs) > 0 {
		return nil, nil, l.errs
	}
	if err := l.cfg.Validate(); err != nil {
		return nil, nil, err
	}
	if !l.cfg.Security.Enabled {
		l.notices = append(l.notices, Notice{File: l.cfg.File,
			Text: "security-enabled is false: no login is asked for, and whoever reaches the port may do everything"})
	}
	return l.cfg, l.notices, nil
}

// readBounded reads a file of at most fileSizeMax bytes, and one byte more so that the caller sees what is longer.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil {
		return nil, err
	} else if st.IsDir() {
		return nil, fmt.Errorf("is a directory")
	}
	data, err := io.ReadAll(io.LimitReader(f, fileSizeMax+1))
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return data, nil
}
