package replication

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/journal/datafile"
)

// A message is a head and, for pages, a body: the bytes of the pages as they are. The head, little-endian:
//
//	 0  layout    u8    1
//	 1  kind      u8
//	 2  flags     u8    bit 0: live
//	 3  filekind  u8    of the pages
//	 4  epoch     u32
//	 8  at file   u64
//	16  at block  u32
//	20  free      u32
//	24  shift     u8    block size of the slots is 1<<shift; 0: no geometry
//	25  zero      1 B
//	26  epochs    u16   that follow the files
//	28  capacity  u32   blocks of a slot
//	32  file      u64   of the pages
//	40  salt      u64
//	48  block     u32   where the pages start
//	52  count     u32   files that follow
//	56  each file: id u64, salt u64, end u32, kind u8, flags u8 (bit 0: closed), zero 2 B, tail hash u64
//	    each epoch: epoch u32, incarnation u32, start file u64, start block u32, zero 4 B, first file id u64, salt u64
const (
	layout    = 1
	headSize  = 56
	fileSize  = 32
	epochSize = 40
)

// Limits of a message.
const (
	FilesMax = 8000    // files of a manifest: a log of more is copied whole, file by file
	PagesMax = 1 << 20 // bytes of pages

	// EpochsMax is how many epochs are told, the newest.
	EpochsMax = 500
)

// ErrMessage says that a message makes no sense.
var ErrMessage = errors.New("message of the log's replication is refused")

// AppendMessage encodes the head of a message behind dst; its body is m.Pages.Data. Of more than FilesMax files the newest
// are sent.
func AppendMessage(dst []byte, m *Message) []byte {
	le := binary.LittleEndian
	files, epochs := m.Files[max(0, len(m.Files)-FilesMax):], m.Epochs[max(0, len(m.Epochs)-EpochsMax):]
	flags := uint8(0)
	if m.Pages.Live {
		flags = 1
	}
	dst = append(dst, layout, uint8(m.Kind), flags, uint8(m.Pages.Kind))
	dst = le.AppendUint32(dst, m.Epoch)
	dst = le.AppendUint64(dst, m.At.File)
	dst = le.AppendUint32(dst, m.At.Block)
	dst = le.AppendUint32(dst, uint32(m.Free))
	dst = append(dst, m.Geometry.BlockShift, 0)
	dst = le.AppendUint16(dst, uint16(len(epochs)))
	dst = le.AppendUint32(dst, m.Geometry.Capacity)
	dst = le.AppendUint64(dst, m.Pages.File.ID)
	dst = le.AppendUint64(dst, m.Pages.File.Salt)
	dst = le.AppendUint32(dst, m.Pages.Block)
	dst = le.AppendUint32(dst, uint32(len(files)))
	for i := range files {
		f := &files[i]
		closed := uint8(0)
		if f.Closed {
			closed = 1
		}
		dst = le.AppendUint64(dst, f.Name.ID)
		dst = le.AppendUint64(dst, f.Name.Salt)
		dst = le.AppendUint32(dst, f.End)
		dst = append(dst, uint8(f.Kind), closed, 0, 0)
		dst = le.AppendUint64(dst, f.TailHash)
	}
	for i := range epochs {
		e := &epochs[i]
		dst = le.AppendUint32(dst, e.Epoch)
		dst = le.AppendUint32(dst, e.Incarnation)
		dst = le.AppendUint64(dst, e.Start.File)
		dst = le.AppendUint32(dst, e.Start.Block)
		dst = le.AppendUint32(dst, 0)
		dst = le.AppendUint64(dst, e.File.ID)
		dst = le.AppendUint64(dst, e.File.Salt)
	}
	return dst
}

// DecodeMessage reads a head and takes body as the pages; both are lent for the call that uses the message. A head that
// AppendMessage would not write is refused.
func DecodeMessage(head, body []byte) (Message, error) {
	le := binary.LittleEndian
	if len(head) < headSize || head[0] != layout {
		return Message{}, fmt.Errorf("%w: head of %d bytes", ErrMessage, len(head))
	}
	m := Message{Kind: Kind(head[1]), Epoch: le.Uint32(head[4:]), At: journal.Position{File: le.Uint64(head[8:]), Block: le.Uint32(head[16:])},
		Free: int(le.Uint32(head[20:])), Geometry: datafile.Geometry{BlockShift: head[24], Capacity: le.Uint32(head[28:])},
		Pages: PageRun{File: datafile.Name{ID: le.Uint64(head[32:]), Salt: le.Uint64(head[40:])}, Kind: datafile.Kind(head[3]),
			Block: le.Uint32(head[48:]), Live: head[2] == 1}}
	count, epochs := le.Uint32(head[52:]), int(le.Uint16(head[26:]))
	switch {
	case m.Kind < KindManifest || m.Kind > KindProgress:
		return Message{}, fmt.Errorf("%w: kind %d", ErrMessage, head[1])
	case head[2] > 1 || head[25] != 0:
		return Message{}, fmt.Errorf("%w: %s with reserved bits", ErrMessage, m.Kind)
	case m.Free > datafile.SlotsMax:
		return Message{}, fmt.Errorf("%w: %s of %d free slots", ErrMessage, m.Kind, m.Free)
	case epochs > EpochsMax || epochs > 0 && m.Kind != KindCommon:
		return Message{}, fmt.Errorf("%w: %s with %d epochs", ErrMessage, m.Kind, epochs)
	case count > FilesMax || len(head) != headSize+int(count)*fileSize+epochs*epochSize || count > 0 && m.Kind != KindManifest && m.Kind != KindCommon && m.Kind != KindFiles:
		return Message{}, fmt.Errorf("%w: %s of %d bytes with %d files", ErrMessage, m.Kind, len(head), count)
	case (m.Kind == KindPages) != (len(body) > 0) || len(body) > PagesMax:
		return Message{}, fmt.Errorf("%w: %s with a body of %d bytes", ErrMessage, m.Kind, len(body))
	case m.Kind != KindPages && (m.Pages.Live || m.Pages.Kind != 0 || m.Pages.Block != 0 || m.Pages.File != datafile.Name{}):
		return Message{}, fmt.Errorf("%w: %s that names pages", ErrMessage, m.Kind)
	}
	if len(body) > 0 {
		m.Pages.Data = body
	}
	var err error
	end := len(head) - epochs*epochSize
	if m.Files, err = decodeFiles(head[headSize:end]); err != nil {
		return m, err
	}
	m.Epochs, err = decodeEpochs(head[end:])
	return m, err
}

func decodeEpochs(b []byte) ([]journal.EpochPoint, error) {
	le := binary.LittleEndian
	var epochs []journal.EpochPoint
	for ; len(b) > 0; b = b[epochSize:] {
		if le.Uint32(b[20:]) != 0 {
			return nil, fmt.Errorf("%w: an epoch with reserved bits", ErrMessage)
		}
		epochs = append(epochs, journal.EpochPoint{Epoch: le.Uint32(b), Incarnation: le.Uint32(b[4:]),
			Start: journal.Position{File: le.Uint64(b[8:]), Block: le.Uint32(b[16:])},
			File:  datafile.Name{ID: le.Uint64(b[24:]), Salt: le.Uint64(b[32:])}})
	}
	return epochs, nil
}

func decodeFiles(b []byte) ([]journal.FileInfo, error) {
	le := binary.LittleEndian
	if len(b) == 0 {
		return nil, nil
	}
	files := make([]journal.FileInfo, 0, len(b)/fileSize)
	for ; len(b) > 0; b = b[fileSize:] {
		f := journal.FileInfo{Name: datafile.Name{ID: le.Uint64(b), Salt: le.Uint64(b[8:])}, End: le.Uint32(b[16:]), Kind: datafile.Kind(b[20]),
			Closed: b[21] == 1, TailHash: le.Uint64(b[24:])}
		switch {
		case f.Kind != datafile.Log && f.Kind != datafile.Bulk || b[21] > 1 || b[22]|b[23] != 0:
			return nil, fmt.Errorf("%w: file %s is of %s", ErrMessage, f.Name, f.Kind)
		case len(files) > 0 && files[len(files)-1].Name.ID >= f.Name.ID:
			return nil, fmt.Errorf("%w: file %s follows %s", ErrMessage, f.Name, files[len(files)-1].Name)
		}
		files = append(files, f)
	}
	return files, nil
}
