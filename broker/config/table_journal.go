package config

import (
	"fmt"
	"strings"
)

// Limits of the journal's measures.
const (
	filesFloor    = 8 // six are the reserve with which a full log always drains; two more leave room for messages
	filesLimit    = 1 << 16
	fileSizeFloor = 1 << 20
	fileSizeLimit = 1 << 32
)

// journalTable holds what describes the log. Bindings, paged messages and large messages have no files of their own
// here: the log is the only durable truth.
func (l *loader) journalTable() table {
	j := &l.cfg.Journal
	const (
		oneLog = "the directory stays unused: everything durable is in the one log in journal-directory"
		safe   = "an acknowledgement waits for the disk in any case"
		buffer = "there is no buffer to fill and no timer: a write starts as soon as there is something to write, and takes " +
			"along what gathered during the one before"
		compact = "a file without live records is used again; compaction is not built yet"
		files   = "the log keeps a fixed number of files, see journal-max-files in docs/configuration.md"
	)
	return table{
		"journal-directory":         l.text(&j.Dir),
		"bindings-directory":        l.instead(oneLog),
		"paging-directory":          l.instead(oneLog),
		"large-messages-directory":  l.instead(oneLog),
		"journal-type":              l.journalType(),
		"journal-file-size":         l.size(&j.FileSize, fileSizeFloor, fileSizeLimit),
		"journal-min-files":         l.instead(files),
		"journal-pool-files":        l.instead(files),
		"journal-max-files":         l.integer(&l.files, filesFloor, filesLimit),
		"journal-device-block-size": l.blockSize(),
		"journal-max-io":            l.instead("a few writes are in flight at most, which is what keeps the disk busy"),

		"journal-datasync":                 l.onlyElse("true", safe),
		"journal-sync-transactional":       l.onlyElse("true", safe),
		"journal-sync-non-transactional":   l.onlyElse("true", safe),
		"journal-buffer-size":              l.instead(buffer),
		"journal-buffer-timeout":           l.instead(buffer),
		"journal-compact-percentage":       l.instead(compact),
		"journal-compact-min-files":        l.instead(compact),
		"journal-file-open-timeout":        l.instead("the next file is ready before it is needed; no opening is waited for"),
		"journal-lock-acquisition-timeout": l.instead("a journal that another process has open is refused at once"),
	}
}

// journalFiles settles the number of files once the file was read, because its default depends on their size.
func (l *loader) journalFiles() {
	j := &l.cfg.Journal
	j.Files = l.files
	if j.Files == 0 {
		j.Files = max(filesFor(j.FileSize), filesFloor)
	}
}

func (l *loader) journalType() rule {
	return once(func(n *node) {
		s, ok := l.leaf(n)
		if !ok {
			return
		}
		switch strings.ToUpper(s) {
		case "ASYNCIO":
			l.cfg.Journal.Engine = EngineAuto
		case "NIO":
			l.cfg.Journal.Engine = EnginePwrite
		case "MAPPED":
			l.fail(n.at, "write ASYNCIO or NIO", "<%s>MAPPED</%s> is refused: a mapped file reports a failed write too late, "+
				"or by a signal, so no acknowledgement can rest on it", n.name, n.name)
		default:
			l.fail(n.at, "write ASYNCIO or NIO", "<%s> is %.40q", n.name, s)
		}
	})
}

func (l *loader) blockSize() rule {
	return l.value(func(s string) error {
		size, err := parseSize(s, 4096, 16384)
		if err == nil && size&(size-1) != 0 {
			err = fmt.Errorf("is %.40q; 4096, 8192 or 16384 are possible", s)
		}
		l.cfg.Journal.BlockSize = int(size)
		return err
	})
}
