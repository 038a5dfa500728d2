package config

import (
	"strings"
	"testing"
)

// The most specific match decides alone: what a wider one grants is not inherited, and without a match nothing is
// allowed.
func TestAllowed(t *testing.T) {
	c, _, err := parse("b.xml", []byte(core(`<security-enabled>false</security-enabled><security-settings>
		<security-setting match="#"><permission type="send" roles="all, admin"/><permission type="consume" roles="all"/></security-setting>
		<security-setting match="orders.#"><permission type="send" roles="sales"/><permission type="createAddress" roles="admin"/></security-setting>
		<security-setting match="orders.secret"/>
		<security-setting match="temp.*"><permission type="createTempQueue" roles="all"/></security-setting>
	</security-settings>`)))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		role    string
		p       Permission
		address string
		want    bool
	}{
		{"all", Send, "news", true}, {"admin", Send, "news", true}, {"sales", Send, "news", false}, {"all", Browse, "news", false},
		{"sales", Send, "orders", true}, {"sales", Send, "orders.eu.1", true},
		{"all", Send, "orders.eu", false},    // not inherited from #
		{"all", Consume, "orders.eu", false}, // nor a permission that the narrower setting does not mention
		{"admin", CreateAddress, "orders.x", true}, {"admin", CreateDurableQueue, "orders.x", false},
		{"sales", Send, "orders.secret", false},
		{"all", CreateNonDurableQueue, "temp.1", true}, {"all", Send, "temp.1", false},
		{"all", permissionCount, "news", false},
	} {
		if got := c.Security.Allowed([]string{"other", k.role}, k.p, k.address); got != k.want {
			t.Errorf("%s, %s on %s: %v", k.role, k.p, k.address, got)
		}
	}
	if c.Security.Allowed(nil, Send, "news") {
		t.Error("somebody without roles may send")
	}
	none := Security{}
	if none.Allowed([]string{"all"}, Send, "news") {
		t.Error("without settings something is allowed")
	}
}

func TestDuplicateMatch(t *testing.T) {
	_, _, err := parse("b.xml", []byte(core(`<security-settings><security-setting match="a"/><security-setting match="a"/></security-settings>`)))
	if err == nil || !strings.Contains(err.Error(), `security-setting "a" is defined twice`) {
		t.Errorf("%v", err)
	}
}

func TestSecurityOffIsSaid(t *testing.T) {
	_, notices, err := parse("b.xml", []byte(core("<security-enabled>false</security-enabled>")))
	if err != nil || len(notices) != 1 || !strings.Contains(notices[0].Text, "whoever reaches the port may do everything") {
		t.Errorf("%v, %v", notices, err)
	}
}
