package config

import (
	"strings"
	"testing"
)

// core wraps elements into a broker.xml with one acceptor; the elements start in line 2.
func core(elements string) string {
	return `<configuration xmlns="urn:activemq"><core xmlns="urn:activemq:core"><acceptors><acceptor name="a">tcp://h:1?protocols=CORE</acceptor></acceptors>` +
		"\n" + elements + "\n</core></configuration>"
}

// pair wraps the inside of a cluster-connection and of an ha-policy; both start lines of their own, 2 and 3.
func pair(cluster, ha string) string {
	return `<configuration><core><acceptors><acceptor name="a">tcp://h:1000?protocols=CORE</acceptor></acceptors><connectors><connector name="me">tcp://h:1000</connector><connector name="other">tcp://i:1000</connector></connectors><cluster-user>u</cluster-user><cluster-password>p</cluster-password>` +
		"\n<cluster-connections>" + cluster + "</cluster-connections>\n<ha-policy>" + ha + "</ha-policy></core></configuration>"
}

const goodCluster = `<cluster-connection name="c"><connector-ref>me</connector-ref><static-connectors><connector-ref>other</connector-ref></static-connectors></cluster-connection>`

// Each mistake with the whole message that the user sees: place, what is wrong, next step.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ name, xml, want string }{
		{"misspelt element", core("<jurnal-type>NIO</jurnal-type>"),
			"b.xml:2:1: <jurnal-type> is not an element of <core>; did you mean <journal-type>?"},
		{"unknown element", core("<turbo/>"),
			"b.xml:2:1: <turbo> is not an element of <core>; remove it; docs/configuration.md lists what is supported"},
		{"not built yet", core("\n  <bridges/>"),
			"b.xml:3:3: <bridges> is not supported yet; remove it; docs/configuration.md lists what is supported"},
		{"twice", core("<name>a</name><name>b</name>"),
			"b.xml:2:15: <name> is given twice, first in line 2; keep one of them"},
		{"empty", core("<name/>"), "b.xml:2:1: <name> is empty; give a value, or remove the element"},
		{"attribute", core(`<name lang="en">x</name>`),
			"b.xml:2:1: lang is not an attribute of <name>; remove it; docs/configuration.md lists what is supported"},
		{"text between", core("hello<name>x</name>"),
			`b.xml:1:37: <core> holds text ("hello") where elements are expected; put it into an element`},
		{"element in a value", core("<name><b>x</b></name>"),
			"b.xml:2:7: <b> stands in <name>, which holds a value; write the value as text"},
		{"variable", core("<name>${host}</name>"),
			"b.xml:2:1: <name> uses ${...}, which is not supported yet; write the value itself"},
		{"boolean", core("<security-enabled>yes</security-enabled>"),
			`b.xml:2:1: <security-enabled> is "yes"; true or false is expected; correct the value`},
		{"size", core("<journal-file-size>10 apples</journal-file-size>"),
			`b.xml:2:1: <journal-file-size> is "10 apples"; bytes are expected, with K, M or G if you like; correct the value`},
		{"size too small", core("<journal-file-size>1K</journal-file-size>"),
			`b.xml:2:1: <journal-file-size> is "1K"; 1048576 to 4294967296 bytes are possible; correct the value`},
		{"count", core("<id-cache-size>-4</id-cache-size>"),
			`b.xml:2:1: <id-cache-size> is "-4"; a number from 0 to 16777216 is expected; correct the value`},
		{"mapped", core("<journal-type>MAPPED</journal-type>"),
			"b.xml:2:1: <journal-type>MAPPED</journal-type> is refused: a mapped file reports a failed write too late, or by a signal, so no acknowledgement can rest on it; write ASYNCIO or NIO"},
		{"no persistence", core("<persistence-enabled>false</persistence-enabled>"),
			"b.xml:2:1: <persistence-enabled>false</persistence-enabled> is not supported yet; remove it or write true"},
		{"masked password", core("<cluster-password>ENC(80cf731af62c290)</cluster-password>"),
			"b.xml:2:1: a masked <cluster-password> is not supported yet; write the plain password, and make the file readable for its owner only"},
		{"block size", core("<journal-device-block-size>5000</journal-device-block-size>"),
			`b.xml:2:1: <journal-device-block-size> is "5000"; 4096, 8192 or 16384 are possible; correct the value`},

		{"no root", "<!-- nothing -->", "b.xml: the file holds no element; write a <configuration> element, or start without --config for the embedded defaults"},
		{"other root", "<beans/>", "b.xml:1:1: the root element is <beans> where <configuration> is expected; use a broker.xml"},
		{"no core", "<configuration/>", `b.xml:1:1: <configuration> holds no <core>; add <core xmlns="urn:activemq:core">`},
		{"jms", "<configuration><jms/></configuration>",
			"b.xml:1:16: <jms> is not supported yet; remove it; docs/configuration.md lists what is supported"},

		{"acceptor URL", core(`<connectors><connector name="c">tpc://h:1</connector></connectors>`),
			`b.xml:2:13: the URL of connector "c" has scheme "tpc"; only tcp is supported yet; correct the URL`},
		{"acceptor parameter", core(`<connectors><connector name="c">tcp://h:1?speed=9</connector></connectors>`),
			`b.xml:2:13: connector "c" has the unknown parameter speed; remove it; docs/configuration.md lists what is supported`},
		{"TLS", core(`<connectors><connector name="c">tcp://h:1?sslEnabled=true</connector></connectors>`),
			`b.xml:2:13: parameter sslEnabled of connector "c" is not supported yet; remove it`},
		{"secret parameter", core(`<connectors><connector name="c">tcp://h:1?keyStorePassword=hush</connector></connectors>`),
			`b.xml:2:13: parameter keyStorePassword of connector "c" is not supported yet; remove it`},
		{"name twice", core(`<connectors><connector name="c">tcp://h:1</connector><connector name="c">tcp://h:2</connector></connectors>`),
			`b.xml:2:54: connector "c" is defined twice, first in line 2; rename or remove one`},
		{"pair port", core(`<connectors><connector name="c">tcp://h:1?pairPort=0</connector></connectors>`),
			`b.xml:2:13: parameter pairPort of connector "c" is "0"; a number from 1 to 65535 is expected; correct the value`},

		{"permission", core(`<security-settings><security-setting match="#"><permission type="snd" roles="a"/></security-setting></security-settings>`),
			`b.xml:2:48: permission type "snd" is none of send, consume, browse, createAddress, deleteAddress, createDurableQueue, deleteDurableQueue, createNonDurableQueue, deleteNonDurableQueue, manage, view, edit; correct the type`},
		{"no match", core(`<security-settings><security-setting/></security-settings>`),
			`b.xml:2:20: <security-setting> needs the attribute match; add match="..."`},
		{"wildcard inside", core(`<address-settings><address-setting match="a.b*"/></address-settings>`),
			`b.xml:2:19: the match "a.b*" has a wildcard inside the word "b*"; * and # stand for whole words; correct the match`},
		{"hash in the middle", core(`<address-settings><address-setting match="a.#.b"/></address-settings>`),
			`b.xml:2:19: the match "a.#.b" has # before the end; it may only be the last word; correct the match`},
		{"policy", core(`<address-settings><address-setting match="#"><address-full-policy>FAIL</address-full-policy></address-setting></address-settings>`),
			`b.xml:2:46: <address-full-policy>FAIL</address-full-policy> is not supported yet; write BLOCK`},
		{"routing", core(`<address-settings><address-setting match="#"><default-queue-routing-type>any</default-queue-routing-type></address-setting></address-settings>`),
			`b.xml:2:46: <default-queue-routing-type> is "any"; ANYCAST or MULTICAST is expected; correct the value`},

		{"queue twice", core(`<addresses><address name="a"><anycast><queue name="q"/></anycast></address><address name="b"><anycast><queue name="q"/></anycast></address></addresses>`),
			`b.xml:2:103: queue "q" is defined twice, first in line 2; rename or remove one`},
		{"last-value queue", core(`<addresses><address name="a"><anycast><queue name="q" last-value="true"/></anycast></address></addresses>`),
			`b.xml:2:39: last-value="true" of queue "q" is not supported yet; remove it`},
		{"no routing", core(`<addresses><address name="a"/></addresses>`),
			`b.xml:2:12: address "a" has no routing type; add <anycast/> or <multicast/>`},

		{"shared store", pair(goodCluster, "<shared-store/>"),
			"b.xml:3:12: <shared-store> is not supported yet; remove it; docs/configuration.md lists what is supported"},
		{"two policies", pair(goodCluster, "<replication/><primary-only/>"),
			"b.xml:3:26: <ha-policy> holds <replication> and <primary-only>; a broker has one policy; keep one of them"},
		{"two roles", pair(goodCluster, "<replication><master/><slave/></replication>"),
			"b.xml:3:34: <slave> follows another role; a broker is configured as primary or as backup; keep one of them"},
		{"no role", pair(goodCluster, "<replication/>"),
			"b.xml:3:12: <replication> does not say whether this broker is the primary or the backup; add <primary/> or <backup/>"},
		{"quorum of none", pair(goodCluster, "<replication><primary><quorum-size>0</quorum-size></primary></replication>"),
			"b.xml:3:34: <quorum-size>0</quorum-size> would let less than a majority decide; write -1 or remove it"},
		{"lock manager", pair(goodCluster, "<replication><primary><manager/></primary></replication>"),
			"b.xml:3:34: <manager> is not supported yet; remove it; docs/configuration.md lists what is supported"},
		{"backup's word", pair(goodCluster, "<replication><primary><allow-failback>true</allow-failback></primary></replication>"),
			"b.xml:3:34: <allow-failback> is not an element of <primary>; remove it; docs/configuration.md lists what is supported"},
		{"cluster name", pair(goodCluster, "<replication><primary><cluster-name>x</cluster-name></primary></replication>"),
			`b.xml:3:34: <cluster-name>x</cluster-name> is not the cluster-connection "c"; correct it or remove it`},
		{"no cluster", pair("", "<replication><primary/></replication>"),
			"b.xml:3:1: <replication> needs a cluster-connection to find the other broker; add a <cluster-connection> whose <static-connectors> name the other broker"},
		{"discovery", pair(`<cluster-connection name="c"><connector-ref>me</connector-ref><discovery-group-ref discovery-group-name="d"/></cluster-connection>`, ""),
			"b.xml:2:84: <discovery-group-ref> is not supported yet; remove it; docs/configuration.md lists what is supported"},
		{"undefined connector", pair(strings.Replace(goodCluster, ">other<", ">others<", 1), "<replication><backup/></replication>"),
			`b.xml:2:22: <cluster-connection> names connector "others", which is not defined; define it in <connectors>, or correct the name`},
		{"itself", pair(strings.Replace(goodCluster, ">other<", ">me<", 1), "<replication><backup/></replication>"),
			`b.xml:2:22: connector "me" is this broker's own and also in <static-connectors>; name the other broker there` + "\n" +
				`b.xml:2:22: connector "me" leads to this broker's own pair port h:2000; name the other broker there`},
		{"cluster alone", pair(goodCluster, ""),
			"b.xml:2:22: a cluster without a pair is not supported yet; add <ha-policy> with <replication>, or remove the cluster-connection"},
		{"default password", strings.Replace(pair(goodCluster, "<replication><backup/></replication>"), ">p<", ">CHANGE ME!!<", 1),
			"b.xml:3:1: <replication> needs a cluster user and a password of its own: brokers prove themselves to each other by them; add <cluster-user> and <cluster-password>, alike on both brokers"},
		{"several", core("<nam>x</nam>\n<durable/>\n<persist-id-cache>true</persist-id-cache>"),
			"b.xml:2:1: <nam> is not an element of <core>; did you mean <name>?\n" +
				"b.xml:3:1: <durable> is not an element of <core>; remove it; docs/configuration.md lists what is supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := parse("b.xml", []byte(c.xml))
			if err == nil {
				t.Fatalf("accepted; want: %s", c.want)
			}
			if err.Error() != c.want {
				t.Errorf("\n got: %s\nwant: %s", err, c.want)
			}
		})
	}
}

// Both vocabularies describe the same pair.
func TestVocabularies(t *testing.T) {
	for _, c := range []struct {
		ha   string
		role Role
		ask  bool
	}{
		{"<replication><primary><check-for-active-server>true</check-for-active-server></primary></replication>", Primary, true},
		{"<replication><master><check-for-live-server>true</check-for-live-server></master></replication>", Primary, true},
		{"<replication><live/></replication>", Primary, false},
		{"<replication><backup><allow-failback>true</allow-failback></backup></replication>", Backup, false},
		{"<replication><slave><allow-fail-back>true</allow-fail-back><restart-backup>true</restart-backup></slave></replication>", Backup, false},
	} {
		cfg, _, err := parse("b.xml", []byte(pair(goodCluster, c.ha)))
		if err != nil {
			t.Errorf("%s: %v", c.ha, err)
			continue
		}
		if cfg.HA.Role != c.role || cfg.HA.AskFailback != c.ask || !cfg.HA.AllowFailback {
			t.Errorf("%s: %+v", c.ha, cfg.HA)
		}
	}
}

// At most errorsMax mistakes are told, and one more does not change the list.
func TestMistakesAreBounded(t *testing.T) {
	for _, n := range []int{errorsMax - 1, errorsMax, errorsMax + 1, 1000} {
		_, _, err := parse("b.xml", []byte(core(strings.Repeat("<turbo/>\n", n))))
		errs, ok := err.(Errors)
		if !ok || len(errs) != min(n, errorsMax) {
			t.Errorf("%d mistakes: %d errors (%T)", n, len(errs), err)
		}
	}
}
