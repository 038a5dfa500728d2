package wire

// samples holds at least one value of every packet that can travel, with every optional field set in one of them.
func samples() []Packet {
	attributes := QueueAttributes{
		Exclusive: Some(true), LastValue: Some(false), LastValueKey: Some("key"), NonDestructive: Some(true),
		ConsumersBeforeDeliver: Some(int32(2)), DelayBeforeDeliver: Some(int64(-1)), GroupRebalance: Some(true),
		GroupBuckets: Some(int32(7)), AutoDelete: Some(true), AutoDeleteDelay: Some(int64(500)),
		AutoDeleteMessageCount: Some(int64(3)), GroupFirstKey: Some("first"), RingSize: Some(int64(10)),
		Enabled: Some(true), GroupRebalancePause: Some(false),
	}
	xid := Xid{FormatID: 131077, Branch: []byte{1, 2}, Transaction: []byte{3}}
	packets := []Packet{
		&Ping{TTL: 60000},
		&Disconnect{NodeID: "n1"},
		&CheckForFailover{NodeID: Some("n1")}, &CheckForFailover{}, &CheckForFailoverResponse{OK: true},
		&NullResponse{Correlation: -7},
		&Exception{Code: CodeQueueDoesNotExist, Message: Some("no such queue")},
		&PacketsConfirmed{CommandID: 99},
		&CreateSession{Name: "9a0c-name", Channel: 10, Version: 129, Username: Some("u"), Password: Some("pässword€𝄞"),
			LargeMessageSizeMin: 102400, AutoCommitSends: true, ConfirmationWindow: -1},
		&CreateSession{Name: "s", Channel: 11, Version: 136, LargeMessageSizeMin: 1, XA: true, AutoCommitAcks: true,
			ConfirmationWindow: 1024, PreAcknowledge: true, DefaultAddress: Some("a"), ClientID: Some("cli.1"), V2: true},
		&CreateSessionResponse{ServerVersion: 136},
		&ReattachSession{Name: "s", LastConfirmedCommandID: -1},
		&ReattachSessionResponse{LastConfirmedCommandID: 4, Reattached: true},
		&Start{}, &Stop{}, &Close{},
		&AddMetadata{Key: "k", Value: "v"}, &AddMetadataV2{Key: "jms-session"},
		&AddUniqueMetadata{Key: "jms-client-id", Value: "me", RequiresResponse: true},
		&SubscribeTopology{}, &SubscribeTopologyV2{ClientVersion: 136},
		&ClusterTopology{NodeID: "n1", EventID: 7, Last: true},
		&ClusterTopology{NodeID: "n1", EventID: 8, Exit: true, BackupGroup: Some("g")},
		&CreateAddress{Address: "a::q", RoutingTypes: []RoutingType{RoutingMulticast, RoutingAnycast}, AutoCreated: true},
		&CreateQueue{Address: "a", Name: "q", Filter: Some("x=1"), Durable: true, RequiresResponse: true, AutoCreated: true,
			RoutingType: RoutingAnycast, MaxConsumers: -1, Attributes: attributes},
		&CreateQueue{Address: "a", Name: "q", Temporary: true, RoutingType: RoutingDefault, MaxConsumers: -1, V1: true},
		&CreateSharedQueue{Address: "a", Name: "q", Durable: true, RoutingType: RoutingMulticast, RequiresResponse: true,
			MaxConsumers: Some(int32(4)), PurgeOnNoConsumers: Some(false), Attributes: attributes},
		&CreateSharedQueue{Address: "a", Name: "q", RoutingType: RoutingMulticast, V1: true},
		&DeleteQueue{Name: "q"},
		&QueueQuery{Name: "a::q"},
		&QueueQueryResponse{Exists: true, Durable: true, ConsumerCount: 1, MessageCount: 1 << 40, Filter: Some("f"),
			Address: Some("a"), Name: Some("q"), AutoCreateQueues: true, RoutingType: RoutingAnycast, MaxConsumers: -1,
			ConsumerWindowSize: Some(int32(1)), Attributes: attributes, ConfigurationManaged: Some(true)},
		&BindingQuery{Address: "a"},
		&CreateProducer{ID: 1, Address: Some("a")}, &CreateProducer{ID: 2}, &RemoveProducer{ID: 1},
		&SendLarge{Header: []byte("header")},
		&RequestProducerCredits{Credits: 32768, Address: "a"}, &ProducerCredits{Credits: 1, Address: "a"},
		&ProducerFailCredits{Credits: 1, Address: "a"},
		&ConsumerCredits{Consumer: 3, Credits: -1}, &ForceDelivery{Consumer: 3, Sequence: 4},
		&ConsumerClose{Consumer: 1}, &DisconnectConsumer{Consumer: 1}, &DisconnectConsumerKill{NodeID: Some("n")},
		&Receive{Message: []byte("message"), Consumer: 2, DeliveryCount: 1},
		&ReceiveLarge{Consumer: 2, DeliveryCount: 1, BodySize: 9, Header: []byte("header")},
		&ReceiveContinuation{Chunk: []byte("chunk"), Continues: true, Consumer: 2},
		&Acknowledge{Consumer: 1, Message: 2, RequiresResponse: true},
		&IndividualAcknowledge{Consumer: 1, Message: 2}, &Expired{Consumer: 1, Message: 2},
		&Commit{}, &Rollback{LastMessageDelivered: true},
		&XA{Operation: TypeXAStart, Xid: xid}, &XA{Operation: TypeXAEnd, Xid: xid, Flag: true},
		&XAQuery{Operation: TypeXAInDoubt}, &XASetTimeout{Seconds: 5}, &XAResponse{Error: true, Code: -3, Message: Some("m")},
	}
	return packets
}

// versionedSamples are values whose fields are all there only from some version on.
func versionedSamples(version int32) []Packet {
	send := &Send{Message: []byte("message"), RequiresResponse: true, Correlation: -2, Sender: 1}
	chunk := &SendContinuation{Chunk: []byte("chunk"), BodySize: 5, RequiresResponse: true, Correlation: 6, Sender: 1}
	consumer := &CreateConsumer{ID: 1, Queue: "q", Filter: Some("x=1"), BrowseOnly: true, RequiresResponse: true, Priority: 4}
	commit := &Commit{Correlation: Some(int64(-3))}
	exception := &Exception{Code: CodeAddressFull, Correlation: Some(int64(-9))}
	topology := &ClusterTopology{NodeID: "n1", EventID: 9, Primary: Some(TCPConnector("a", "localhost", "61616")),
		Backup: Some(Connector{Name: "b", Factory: ConnectorFactory, Params: []ConnectorParam{
			{Key: "sslEnabled", Kind: ParamBool, Number: 1}, {Key: "port", Kind: ParamInt, Number: 61617},
			{Key: "ttl", Kind: ParamLong, Number: 1 << 40}, {Key: "host", Kind: ParamString, Text: "h"}}}),
		ScaleDown: Some("d"), ServerVersion: 136}
	binding := &BindingQueryResponse{Exists: true, QueueNames: []string{"q", "r"}, AutoCreateQueues: true,
		AutoCreateAddresses: true, MaxConsumers: -1, Exclusive: Some(false), LastValue: Some(true), LastValueKey: Some("k"),
		NonDestructive: Some(false), ConsumersBeforeDeliver: Some(int32(1)), DelayBeforeDeliver: Some(int64(2)),
		SupportsMulticast: true, SupportsAnycast: true}
	disconnect := &Disconnect{NodeID: "n1", Reason: DisconnectNoReason, TargetNodeID: Some("n2"),
		Target: Some(TCPConnector("t", "h", "1"))}
	if version < versionCorrelation {
		send.Correlation, chunk.Correlation, consumer.Priority = NoCorrelation, NoCorrelation, 0
		exception.Correlation = Optional[int64]{}
	}
	if version < versionClientID {
		topology.ServerVersion, disconnect.Reason, disconnect.Target = 0, 0, Optional[Connector]{}
	}
	if version < versionCommitID {
		commit.Correlation = Optional[int64]{}
	}
	if version < versionSenderID {
		send.Sender, chunk.Sender = 0, 0
	}
	if version < versionBindingQueryFive {
		binding.SupportsMulticast, binding.SupportsAnycast = false, false
	}
	return []Packet{send, chunk, consumer, commit, exception, topology, binding, disconnect}
}
