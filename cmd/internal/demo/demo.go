package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/hindmq/hind/broker"
	"github.com/hindmq/hind/broker/ha"
)

// Options of a run.
type Options struct {
	Executable string        // the program that has the command `run`
	Kills      int           // 0: until Duration is over
	Duration   time.Duration // after which no further kill is begun; 0: no limit
	Producers  int
	Size       int           // bytes of a body
	Lease      time.Duration // of the brokers; 0: their default
	Dir        string        // where the run's own directory is made; empty: the system's for temporary files
	Keep       bool          // leave journals and logs
	Verbose    bool          // let the brokers log what their role machines do
	Out        io.Writer     // progress for people; nil: none
}

// Limits of the options.
const (
	ProducersMax = 256
	SizeMax      = 100 << 10 // the largest body that the broker takes
	DurationMax  = 24 * time.Hour
)

// Validate names the first option that cannot be.
func (o *Options) Validate() error {
	switch {
	case o.Kills < 0:
		return fmt.Errorf("--kills %d: give 0 (until --duration is over) or more", o.Kills)
	case o.Duration < 0 || o.Duration > DurationMax:
		return fmt.Errorf("--duration %v: give 0 (no limit) to %v", o.Duration, DurationMax)
	case o.Producers < 1 || o.Producers > ProducersMax:
		return fmt.Errorf("--producers %d: give 1 to %d", o.Producers, ProducersMax)
	case o.Size < BodySizeMin || o.Size > SizeMax:
		return fmt.Errorf("--size %d: give %d to %d", o.Size, BodySizeMin, SizeMax)
	case o.Lease < 0:
		return fmt.Errorf("--lease %v: give 0 (the brokers' default) or more", o.Lease)
	}
	return nil
}

const (
	patience     = 60 * time.Second // for a start, a takeover, a resynchronisation, the last messages
	stopPatience = 5 * time.Second
	lookInterval = 10 * time.Millisecond

	// Between being in sync and the next kill clients work for a random time, so that kills meet the log anywhere.
	loadMin, loadSpread = 200 * time.Millisecond, 600 * time.Millisecond
)

// director is one run.
type director struct {
	o       Options
	members [2]*member
	load    *load
	screen  *screen
	report  Report
	begun   time.Time
}

// Run makes a pair, lets clients work on it and kills the active broker until ctx ends or the options are satisfied. The
// error is for what kept the run from happening; what the run found, good or bad, is in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(o.Dir, "hind-demo-")
	if err != nil {
		return nil, fmt.Errorf("directory for the journals: %w; choose another with --dir", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	d := &director{o: o, screen: newScreen(o.Out), report: Report{Kills: []Kill{}, Producers: o.Producers, Size: o.Size}}
	starter := newStarter()
	defer starter.close()
	err = d.play(ctx, dir, starter)
	if err != nil && !errors.Is(err, context.Canceled) {
		d.report.Error = err.Error()
	}
	d.report.Interrupted = ctx.Err() != nil
	d.screen.wipe()
	d.report.conclude()
	if o.Keep || !d.report.OK && !d.report.Interrupted {
		d.report.Kept = dir
		return &d.report, nil
	}
	return &d.report, os.RemoveAll(dir)
}

// play is the run from the first start to the last stop.
func (d *director) play(ctx context.Context, dir string, s *starter) error {
	places, err := writePair(dir)
	if err != nil {
		return err
	}
	var flags []string
	if d.o.Lease > 0 {
		flags = append(flags, "--lease", d.o.Lease.String())
	}
	if d.o.Verbose {
		flags = append(flags, "--verbose")
	}
	web := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for i := range d.members {
		d.members[i] = &member{place: places[i], dir: dir, executable: d.o.Executable, flags: flags, starter: s, web: web}
	}
	d.screen.say("primary %s, backup %s, %d producers of %d bytes and a consumer; kill -9 of whichever is active", places[0].clientAddr(),
		places[1].clientAddr(), d.o.Producers, d.o.Size)
	d.screen.say("journals and logs: %s", dir)
	d.begun = time.Now()
	defer d.stopMembers()
	for _, m := range d.members {
		if err := m.start(); err != nil {
			return err
		}
	}
	if _, err := d.awaitInSync(ctx, "starting"); err != nil {
		return err
	}
	d.begun = time.Now()
	d.load = startLoad(rand.Text(), [2]string{places[0].clientAddr(), places[1].clientAddr()}, d.o.Producers, d.o.Size)
	defer d.load.close()
	err = d.killAll(ctx)
	d.report.Seconds = Millis(time.Since(d.begun))
	d.screen.show("       the last messages ...")
	d.load.finish(patience)
	d.report.Counts = d.load.ledger.counts()
	if err != nil {
		return err
	}
	return d.awaitEmpty()
}

// killAll kills until there is a reason to end.
func (d *director) killAll(ctx context.Context) error {
	d.screen.head()
	for n := 1; d.o.Kills == 0 || n <= d.o.Kills; n++ {
		if err := d.work(ctx, loadMin+mrand.N(loadSpread)); err != nil {
			return err
		}
		if d.o.Duration > 0 && time.Since(d.begun) >= d.o.Duration {
			return nil
		}
		k, err := d.killOne(ctx, n)
		if err != nil {
			return err
		}
		d.report.Kills = append(d.report.Kills, k)
		d.screen.row(k)
	}
	return nil
}

// work lets clients work, and sees that they do.
func (d *director) work(ctx context.Context, span time.Duration) error {
	begun, before := time.Now(), d.load.ledger.counts().Acknowledged
	return d.until(ctx, "working", func() (bool, error) {
		return time.Since(begun) >= span && d.load.ledger.counts().Acknowledged > before, nil
	})
}

// killOne kills the active broker, waits until clients go on with the other, and brings the victim back.
func (d *director) killOne(ctx context.Context, n int) (Kill, error) {
	active, err := d.awaitInSync(ctx, "finding the active broker")
	if err != nil {
		return Kill{}, err
	}
	victim := d.members[active]
	k := Kill{Number: n, Victim: victim.Name}
	failover := d.load.ledger.awaitFailover(active)
	if err := victim.kill(); err != nil {
		return k, err
	}
	err = d.until(ctx, victim.Name+" killed", func() (bool, error) {
		select {
		case gap := <-failover:
			k.Failover = Millis(gap)
			return true, nil
		default:
			return false, d.alive(1 - active)
		}
	})
	if err != nil {
		return k, err
	}
	begun := time.Now()
	if err := victim.start(); err != nil {
		return k, err
	}
	now, err := d.awaitInSync(ctx, victim.Name+" restarted")
	if err == nil && now == active {
		err = fmt.Errorf("%s is active again without having been asked for", victim.Name)
	}
	k.InSync = Millis(time.Since(begun))
	k.Counts = d.load.counts()
	return k, err
}

// until looks again and again whether something has happened.
func (d *director) until(ctx context.Context, what string, happened func() (bool, error)) error {
	begun := time.Now()
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	for {
		if done, err := happened(); done || err != nil {
			return err
		}
		if waited := time.Since(begun); waited > patience {
			return fmt.Errorf("%s: nothing has come of it within %v\n%s", what, patience, d.describe())
		}
		d.screen.progress(what, time.Since(begun), d.load.counts())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
	}
}

// awaitInSync waits until one member serves and the other stands by in sync; both say so. It returns the active one.
func (d *director) awaitInSync(ctx context.Context, what string) (active int, err error) {
	err = d.until(ctx, what, func() (bool, error) {
		var st [2]broker.Status
		for i, m := range d.members {
			if err := d.alive(i); err != nil {
				return false, err
			}
			var err error
			if st[i], err = m.status(ctx); err != nil {
				return false, nil // not yet
			}
		}
		for i := range st {
			if other := &st[1-i]; st[i].Serving && st[i].InSync && !other.Serving && other.Role == ha.RoleStandby.String() {
				active = i
				return true, nil
			}
		}
		return false, nil
	})
	return active, err
}

// alive is an error if a member's process has ended by itself.
func (d *director) alive(i int) error {
	select {
	case <-d.members[i].ended:
		return fmt.Errorf("%s has ended by itself; its log ends with\n%s", d.members[i].Name, d.members[i].lastWords())
	default:
		return nil
	}
}

// describe says how the members are, for an error.
func (d *director) describe() string {
	text := ""
	for _, m := range d.members {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		st, err := m.status(ctx)
		cancel()
		if err != nil {
			text += fmt.Sprintf("%s does not answer: %v\n", m.Name, err)
			continue
		}
		text += fmt.Sprintf("%s: %s, epoch %d, serving %v, in sync %v, blocked %q, fenced %q, asks %q\n", m.Name, st.Role, st.Epoch, st.Serving,
			st.InSync, st.Blocked, st.Fenced, st.Question)
	}
	return text
}

// awaitEmpty waits until no queue of the active broker holds a message; what is left after a while is in the report.
func (d *director) awaitEmpty() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	for {
		d.report.Left = -1
		for _, m := range d.members {
			if st, err := m.status(ctx); err == nil && st.Serving {
				d.report.Left = st.Queues.Messages
			}
		}
		if d.report.Left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			if d.report.Left < 0 {
				return fmt.Errorf("no broker serves clients at the end\n%s", d.describe())
			}
			return nil
		case <-look.C:
		}
	}
}

// stopMembers ends both processes, the passive one first so that nothing takes over any more.
func (d *director) stopMembers() {
	first := 0
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if d.members[0].cmd != nil {
		if st, err := d.members[0].status(ctx); err == nil && st.Serving {
			first = 1
		}
	}
	d.members[first].stop(stopPatience)
	d.members[1-first].stop(stopPatience)
}
