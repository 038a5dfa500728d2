package config

import (
	"reflect"
	"strings"
	"testing"
)

// Made by DefaultSensitiveStringCodec (algorithm one-way) of artemis-commons 2.40.0.
const (
	hashOfAdmin  = "ENC(1024:D9C89730241711A560AB09F8C1E728D44A6017C122E4D296AFC72D444BA796CE:CC0711F47C09A6BA37B327B19CD42120B1EE6577CB7CF05DE2E7B70A72021914ED892E0C7E1E3403C6906F30317DBFAF309F132C502104304BCC93946400D84D)"
	hashOfSecret = "ENC(1024:638BDF308622E7CF56208D2F00D372263AAC6F8406F9787468A2C4F64D642F04:2F7F1A3C162BC2AE53A8C32894B192B711D1E6A0382ECE446A1F8301D7A367D0CF9ED9F825D356917ADE14316045437443838A384524F4AD614701A89A205D5B)"
	hashOfAB     = "ENC(1024:7DCC636C0C8737E216FB6E7DFA2FB2E44E264A9E95DEC9311DD2ADDFC1AE065B:9C342F29B853C44AA18067415E14605949B57490FD4630F9BF32C19A6A03B728F8589C9CAB41061336B213B85BE8E6D4D89758ADC89D47946E27F6A8B9640912)"
)

func TestPasswordsOfArtemis(t *testing.T) {
	for _, c := range []struct {
		stored, password string
		want             bool
	}{
		{hashOfAdmin, "admin", true}, {hashOfSecret, "s3crét", true},
		{hashOfAdmin, "Admin", false}, {hashOfAdmin, "", false}, {hashOfAdmin, hashOfAdmin, false},
		{"plain", "plain", true}, {"plain", "plain ", false}, {"", "", false}, {"ENC(", "ENC(", true},
		{"ENC()", "", false}, {"ENC(x)", "ENC(x)", false},
	} {
		if got := checkPassword(c.stored, c.password); got != c.want {
			t.Errorf("stored %.30q, given %q: %v", c.stored, c.password, got)
		}
	}
}

func TestUsersAndRoles(t *testing.T) {
	path := instance(t, map[string]string{
		"broker.xml": core(""),
		usersFile:    "# logins\nadmin=" + hashOfAdmin + "\nguest = guest\nnobody: x\n",
		rolesFile:    "amq = admin, guest\nreaders=guest,ghost\n",
	})
	c, notices, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(notices) != 1 || !strings.HasSuffix(notices[0].String(),
		rolesFile+`:2:1: role "readers" names user "ghost", who has no password in `+usersFile+` and cannot log in`) {
		t.Errorf("notices: %v", notices)
	}
	u := c.Security.Users
	if u.Count() != 3 {
		t.Errorf("%d users", u.Count())
	}
	for _, k := range []struct {
		name, password string
		roles          []string
		ok             bool
	}{
		{"admin", "admin", []string{"amq"}, true}, {"guest", "guest", []string{"amq", "readers"}, true},
		{"nobody", "x", nil, true}, {"admin", "guest", nil, false}, {"ghost", "", nil, false}, {"", "", nil, false},
	} {
		roles, ok := u.Authenticate(k.name, k.password)
		if ok != k.ok || len(roles) != len(k.roles) || len(roles) > 0 && !reflect.DeepEqual(roles, k.roles) {
			t.Errorf("%s/%s: %v, %v", k.name, k.password, roles, ok)
		}
	}
	if roles, ok := (Users{}).Authenticate("", ""); ok || roles != nil {
		t.Error("the zero Users lets somebody in")
	}
}

func TestUsersRefused(t *testing.T) {
	for _, c := range []struct{ name, users, roles, want string }{
		{"twice", "a=1\na=2\n", "", usersFile + `:2:1: "a" is given twice, first in line 1; keep one of them`},
		{"empty", "\na=\n", "", usersFile + `:2:1: the password of user "a" is empty; correct it; docs/configuration.md says which forms are read`},
		{"reversible", "a=ENC(80cf731af62c290)\n", "", `the password of user "a" has 1 parts between colons where iterations:salt:hash has 3; correct it`},
		{"iterations", "a=ENC(99999999:00:00)\n", "", `has iterations "99999999"; a number from 1 to 1048576 is expected`},
		{"salt", "a=ENC(1024:zz:00)\n", "", "has a salt that is not 1 to 256 bytes in hexadecimal"},
		{"short hash", "a=ENC(1024:00:00)\n", "", "has a hash that is not 16 to 256 bytes in hexadecimal"},
		{"not UTF-8", "a=\xff\n", "", `the file is not UTF-8; write other characters as \uXXXX`},
		{"escape", `a=\u12`, "", `\u needs four hexadecimal digits; correct the line`},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := instance(t, map[string]string{"broker.xml": core(""), usersFile: c.users, rolesFile: c.roles})
			_, _, err := Load(path)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("\n got: %v\nwant: %s", err, c.want)
			}
		})
	}
	if _, err := NewUsers(nil, map[string][]string{"r": {"x"}}); err == nil {
		t.Error("a role for nobody is accepted")
	}
}

func TestProperties(t *testing.T) {
	text := "# c\n! c\n\n a = 1\r\nb:2\nc 3\nd\\ e = \\ f\\tg \ng=x\\\n   y\nh=a\\\\\ni=\\u00e9é\nj==\nk"
	props, err := parseProperties("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range props {
		got = append(got, p.key+"|"+p.value)
	}
	want := []string{"a|1", "b|2", "c|3", "d e| f\tg ", "g|xy", `h|a\`, "i|éé", "j|=", "k|"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got: %q\nwant: %q", got, want)
	}
	if props[5].at.Line != 10 {
		t.Errorf("h stands in line %d", props[5].at.Line)
	}
}
