package inspect

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal"
)

// File is one data file of a report.
type File struct {
	ID          uint64 `json:"id"`
	Salt        string `json:"salt"`
	Slot        int    `json:"slot"`
	Kind        string `json:"kind"`
	Epoch       uint32 `json:"epoch"`
	Incarnation uint32 `json:"incarnation"`
	FirstRecord string `json:"first_record"`
	Records     uint64 `json:"records"`
	Live        uint64 `json:"live"`
	Bytes       int64  `json:"bytes"`
	Closed      bool   `json:"closed"`
}

// Report says what a journal holds.
type Report struct {
	Dir        string         `json:"dir"`
	Instance   string         `json:"instance"`
	Copying    bool           `json:"copying"`
	BlockSize  int            `json:"block_size"`
	SlotSize   int64          `json:"slot_size"`
	Epoch      uint32         `json:"epoch"`
	End        string         `json:"end"`
	Files      []File         `json:"files"`
	Records    map[string]int `json:"records_since_checkpoint"`
	Live       int            `json:"live_at_checkpoint"`
	BlobBytes  int            `json:"host_blob_bytes"`
	RoleBytes  int            `json:"role_bytes"`
	TornPages  int            `json:"torn_pages"`
	TornBytes  int64          `json:"torn_bytes"`
	Damage     string         `json:"damage,omitempty"`
	LiveDigest string         `json:"live_digest,omitempty"`
}

// counter counts what a load gives.
type counter struct{ r *Report }

func kindName(k journal.Kind) string {
	names := [...]string{"", "add", "update", "delete", "prepare", "commit", "rollback", "event", "role"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind %d", k)
}

func (c counter) Snapshot(blob []byte) error {
	c.r.BlobBytes, c.r.Live, c.r.Records = len(blob), 0, map[string]int{}
	return nil
}
func (c counter) Live(journal.Record) error     { c.r.Live++; return nil }
func (c counter) Replay(r journal.Record) error { c.r.Records[kindName(r.Kind)]++; return nil }

// tries is how often a load is repeated that met damage or a read error: beside a live writer a page may be read half
// written, or a slot recycled. Real damage stays.
const tries = 3

// load reads the journal beside whoever writes it.
func load(fs aio.FS, dir string, loader journal.Loader) (image *journal.Image, err error) {
	for range tries {
		if image != nil {
			_ = image.Close()
		}
		image, err = journal.Load(fs, dir, journal.Options{ReadOnly: true}, loader)
		if err == nil {
			break
		}
	}
	return image, err
}

// Inspect loads the journal in dir, read-only. With damage the report is returned beside the error.
func Inspect(fs aio.FS, dir string) (*Report, error) {
	r := &Report{Dir: dir, Records: map[string]int{}}
	image, err := load(fs, dir, counter{r})
	if image == nil {
		return nil, err
	}
	g := image.Options().Geometry
	r.BlockSize, r.SlotSize, r.Epoch, r.End = g.BlockSize(), g.SlotSize(), image.Epoch(), image.Tip().String()
	if s := image.State(); s != nil {
		r.Instance, r.Copying = hex.EncodeToString(s.Instance[:]), s.Copying
	}
	for _, f := range image.Files() {
		r.Files = append(r.Files, File{ID: f.Name.ID, Salt: fmt.Sprintf("%016x", f.Name.Salt), Slot: f.Slot, Kind: f.Kind.String(), Epoch: f.Epoch,
			Incarnation: f.Incarnation, FirstRecord: f.FirstRecord.String(), Records: f.Records, Live: f.Live,
			Bytes: int64(f.End) * int64(g.BlockSize()), Closed: f.Closed})
	}
	if role, ok := image.Role(); ok {
		r.RoleBytes = len(role.Role)
	}
	torn := image.Torn()
	r.TornPages, r.TornBytes = torn.Pages, torn.Bytes
	if err != nil {
		r.Damage = err.Error()
	} else {
		r.LiveDigest = fmt.Sprintf("%016x", image.LiveDigest())
	}
	return r, errors.Join(err, image.Close())
}

// Write prints the report for people.
func (r *Report) Write(w io.Writer) error {
	p := &printer{w: w}
	p.line("journal   %s", r.Dir)
	p.line("instance  %s", r.Instance)
	p.line("sizes     blocks of %d, slots of %d bytes", r.BlockSize, r.SlotSize)
	p.line("end       %s, epoch %d", r.End, r.Epoch)
	if r.Copying {
		p.line("copying   a follower was cutting or copying: this log alone gives no right")
	}
	if r.TornPages > 0 {
		p.line("torn      %d pages, %d bytes behind the end were never acknowledged", r.TornPages, r.TornBytes)
	}
	p.line("%6s %5s %5s %6s %6s %10s %10s %12s", "file", "slot", "kind", "epoch", "open", "records", "live", "bytes")
	for _, f := range r.Files {
		p.line("%6d %5d %5s %6d %6d %10d %10d %12d", f.ID, f.Slot, f.Kind, f.Epoch, f.Incarnation, f.Records, f.Live, f.Bytes)
	}
	if r.Damage != "" {
		p.line("DAMAGED   %s", r.Damage)
	}
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// Verified says what Verify read.
type Verified struct {
	Files   int   `json:"files"`
	Pages   int   `json:"pages"`
	Records int   `json:"records"`
	Bytes   int64 `json:"bytes"`
}

// Verify reads every file up to its end and checks every page and record. progress (may be nil) gets the bytes read and
// the bytes there are. The error names the first damage.
func Verify(fs aio.FS, dir string, progress func(done, total int64)) (v Verified, err error) {
	for range tries {
		if v, err = verify(fs, dir, progress); !errors.Is(err, journal.ErrRetired) {
			break // else a live writer recycled a slot meanwhile
		}
	}
	return v, err
}

func verify(fs aio.FS, dir string, progress func(done, total int64)) (v Verified, err error) {
	image, err := load(fs, dir, nil)
	if image != nil {
		defer func() { err = errors.Join(err, image.Close()) }()
	}
	if err != nil {
		return v, err
	}
	g := image.Options().Geometry
	total := int64(0)
	for _, f := range image.Files() {
		total += int64(f.End) << g.BlockShift
	}
	for _, f := range image.Files() {
		pages, records, err := journal.VerifyFile(fs, dir, g, f)
		v.Pages, v.Records = v.Pages+pages, v.Records+records
		if err != nil {
			return v, err
		}
		v.Files++
		v.Bytes += int64(f.End) << g.BlockShift
		if progress != nil {
			progress(v.Bytes, total)
		}
	}
	return v, nil
}
