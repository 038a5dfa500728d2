package wire

import "fmt"

// Type is the packet type: one signed byte, values below zero are in use.
type Type int8

// Packet types. Those that only brokers send to each other are named where a server must be able to refuse them.
const (
	TypePing                     Type = 10
	TypeDisconnect               Type = 11
	TypeDisconnectConsumer       Type = 12
	TypeDisconnectConsumerKill   Type = 13
	TypeException                Type = 20
	TypeNullResponse             Type = 21
	TypePacketsConfirmed         Type = 22
	TypeCreateSession            Type = 30
	TypeCreateSessionResponse    Type = 31
	TypeReattachSession          Type = 32
	TypeReattachSessionResponse  Type = 33
	TypeCreateQueue              Type = 34
	TypeDeleteQueue              Type = 35
	TypeCreateSharedQueue        Type = 36
	TypeXAFailed                 Type = 39
	TypeCreateConsumer           Type = 40
	TypeAcknowledge              Type = 41
	TypeExpired                  Type = 42
	TypeCommit                   Type = 43
	TypeRollback                 Type = 44
	TypeQueueQuery               Type = 45
	TypeQueueQueryResponse       Type = 46
	TypeBindingQuery             Type = 49
	TypeBindingQueryResponse     Type = 50
	TypeXAStart                  Type = 51
	TypeXAEnd                    Type = 52
	TypeXACommit                 Type = 53
	TypeXAPrepare                Type = 54
	TypeXAResponse               Type = 55
	TypeXARollback               Type = 56
	TypeXAJoin                   Type = 57
	TypeXASuspend                Type = 58
	TypeXAResume                 Type = 59
	TypeXAForget                 Type = 60
	TypeXAInDoubt                Type = 61
	TypeXAInDoubtResponse        Type = 62
	TypeXASetTimeout             Type = 63
	TypeXASetTimeoutResponse     Type = 64
	TypeXAGetTimeout             Type = 65
	TypeXAGetTimeoutResponse     Type = 66
	TypeStart                    Type = 67
	TypeStop                     Type = 68
	TypeClose                    Type = 69
	TypeConsumerCredits          Type = 70
	TypeSend                     Type = 71
	TypeSendLarge                Type = 72
	TypeSendContinuation         Type = 73
	TypeConsumerClose            Type = 74
	TypeReceive                  Type = 75
	TypeReceiveLarge             Type = 76
	TypeReceiveContinuation      Type = 77
	TypeForceDelivery            Type = 78
	TypeRequestProducerCredits   Type = 79
	TypeProducerCredits          Type = 80
	TypeIndividualAcknowledge    Type = 81
	TypeProducerFailCredits      Type = 82
	TypeAddMetadata              Type = 104
	TypeAddMetadataV2            Type = 105
	TypeAddUniqueMetadata        Type = 106
	TypeClusterTopology          Type = 110
	TypeNodeAnnounce             Type = 111
	TypeSubscribeTopology        Type = 112
	TypeSubscribeTopologyV2      Type = 113
	TypeClusterTopologyV2        Type = 114
	TypeBackupRegistration       Type = 115
	TypeClusterTopologyV3        Type = 122
	TypeDisconnectV2             Type = 124
	TypeClusterConnect           Type = 125
	TypeBackupRequest            Type = 127
	TypeQuorumVote               Type = -2
	TypeCheckForFailover         Type = -4
	TypeCheckForFailoverResponse Type = -5
	TypeScaleDownAnnouncement    Type = -6
	TypeQueueQueryResponseV2     Type = -7
	TypeBindingQueryResponseV2   Type = -8
	TypeBindingQueryResponseV3   Type = -10
	TypeCreateAddress            Type = -11
	TypeCreateQueueV2            Type = -12
	TypeCreateSharedQueueV2      Type = -13
	TypeQueueQueryResponseV3     Type = -14
	TypeBindingQueryResponseV4   Type = -15
	TypeFederationConnect        Type = -16
	TypeClusterTopologyV4        Type = -17
	TypeCreateSessionV2          Type = -18
	TypeDisconnectV3             Type = -19
	TypeCreateProducer           Type = -20
	TypeRemoveProducer           Type = -21
	TypeBindingQueryResponseV5   Type = -22
)

// String is the protocol's own name of the type, as manuals and captures have it.
func (t Type) String() string {
	if name := t.name(); name != "" {
		return name
	}
	return fmt.Sprintf("packet type %d", int8(t))
}

// name is a switch so that it costs no package-level table that somebody could change.
func (t Type) name() string {
	switch t {
	case TypePing:
		return "PING"
	case TypeDisconnect:
		return "DISCONNECT"
	case TypeDisconnectConsumer:
		return "DISCONNECT_CONSUMER"
	case TypeDisconnectConsumerKill:
		return "DISCONNECT_CONSUMER_KILL"
	case TypeException:
		return "EXCEPTION"
	case TypeNullResponse:
		return "NULL_RESPONSE"
	case TypePacketsConfirmed:
		return "PACKETS_CONFIRMED"
	case TypeCreateSession:
		return "CREATESESSION"
	case TypeCreateSessionResponse:
		return "CREATESESSION_RESP"
	case TypeReattachSession:
		return "REATTACH_SESSION"
	case TypeReattachSessionResponse:
		return "REATTACH_SESSION_RESP"
	case TypeCreateQueue:
		return "CREATE_QUEUE"
	case TypeDeleteQueue:
		return "DELETE_QUEUE"
	case TypeCreateSharedQueue:
		return "CREATE_SHARED_QUEUE"
	case TypeCreateConsumer:
		return "SESS_CREATECONSUMER"
	case TypeAcknowledge:
		return "SESS_ACKNOWLEDGE"
	case TypeExpired:
		return "SESS_EXPIRED"
	case TypeCommit:
		return "SESS_COMMIT"
	case TypeRollback:
		return "SESS_ROLLBACK"
	case TypeQueueQuery:
		return "SESS_QUEUEQUERY"
	case TypeQueueQueryResponse:
		return "SESS_QUEUEQUERY_RESP"
	case TypeQueueQueryResponseV2:
		return "SESS_QUEUEQUERY_RESP_V2"
	case TypeQueueQueryResponseV3:
		return "SESS_QUEUEQUERY_RESP_V3"
	case TypeBindingQuery:
		return "SESS_BINDINGQUERY"
	case TypeBindingQueryResponse:
		return "SESS_BINDINGQUERY_RESP"
	case TypeBindingQueryResponseV2:
		return "SESS_BINDINGQUERY_RESP_V2"
	case TypeBindingQueryResponseV3:
		return "SESS_BINDINGQUERY_RESP_V3"
	case TypeBindingQueryResponseV4:
		return "SESS_BINDINGQUERY_RESP_V4"
	case TypeBindingQueryResponseV5:
		return "SESS_BINDINGQUERY_RESP_V5"
	case TypeStart:
		return "SESS_START"
	case TypeStop:
		return "SESS_STOP"
	case TypeClose:
		return "SESS_CLOSE"
	case TypeConsumerCredits:
		return "SESS_FLOWTOKEN"
	case TypeSend:
		return "SESS_SEND"
	case TypeSendLarge:
		return "SESS_SEND_LARGE"
	case TypeSendContinuation:
		return "SESS_SEND_CONTINUATION"
	case TypeConsumerClose:
		return "SESS_CONSUMER_CLOSE"
	case TypeReceive:
		return "SESS_RECEIVE_MSG"
	case TypeReceiveLarge:
		return "SESS_RECEIVE_LARGE_MSG"
	case TypeReceiveContinuation:
		return "SESS_RECEIVE_CONTINUATION"
	case TypeForceDelivery:
		return "SESS_FORCE_CONSUMER_DELIVERY"
	case TypeRequestProducerCredits:
		return "SESS_PRODUCER_REQUEST_CREDITS"
	case TypeProducerCredits:
		return "SESS_PRODUCER_CREDITS"
	case TypeIndividualAcknowledge:
		return "SESS_INDIVIDUAL_ACKNOWLEDGE"
	case TypeProducerFailCredits:
		return "SESS_PRODUCER_FAIL_CREDITS"
	case TypeAddMetadata:
		return "SESS_ADD_METADATA"
	case TypeAddMetadataV2:
		return "SESS_ADD_METADATA2"
	case TypeAddUniqueMetadata:
		return "SESS_UNIQUE_ADD_METADATA"
	}
	return t.nameOfConnectionPackets()
}

func (t Type) nameOfConnectionPackets() string {
	switch t {
	case TypeClusterTopology:
		return "CLUSTER_TOPOLOGY"
	case TypeClusterTopologyV2:
		return "CLUSTER_TOPOLOGY_V2"
	case TypeClusterTopologyV3:
		return "CLUSTER_TOPOLOGY_V3"
	case TypeClusterTopologyV4:
		return "CLUSTER_TOPOLOGY_V4"
	case TypeNodeAnnounce:
		return "NODE_ANNOUNCE"
	case TypeSubscribeTopology:
		return "SUBSCRIBE_TOPOLOGY"
	case TypeSubscribeTopologyV2:
		return "SUBSCRIBE_TOPOLOGY_V2"
	case TypeBackupRegistration:
		return "BACKUP_REGISTRATION"
	case TypeDisconnectV2:
		return "DISCONNECT_V2"
	case TypeDisconnectV3:
		return "DISCONNECT_V3"
	case TypeClusterConnect:
		return "CLUSTER_CONNECT"
	case TypeBackupRequest:
		return "BACKUP_REQUEST"
	case TypeQuorumVote:
		return "QUORUM_VOTE"
	case TypeCheckForFailover:
		return "CHECK_FOR_FAILOVER"
	case TypeCheckForFailoverResponse:
		return "CHECK_FOR_FAILOVER_REPLY"
	case TypeScaleDownAnnouncement:
		return "SCALEDOWN_ANNOUNCEMENT"
	case TypeCreateAddress:
		return "CREATE_ADDRESS"
	case TypeCreateQueueV2:
		return "CREATE_QUEUE_V2"
	case TypeCreateSharedQueueV2:
		return "CREATE_SHARED_QUEUE_V2"
	case TypeFederationConnect:
		return "FEDERATION_DOWNSTREAM_CONNECT"
	case TypeCreateSessionV2:
		return "CREATESESSION_V2"
	case TypeCreateProducer:
		return "CREATE_PRODUCER"
	case TypeRemoveProducer:
		return "REMOVE_PRODUCER"
	case TypeXAFailed:
		return "SESS_XA_FAILED"
	case TypeXAStart:
		return "SESS_XA_START"
	case TypeXAEnd:
		return "SESS_XA_END"
	case TypeXACommit:
		return "SESS_XA_COMMIT"
	case TypeXAPrepare:
		return "SESS_XA_PREPARE"
	case TypeXAResponse:
		return "SESS_XA_RESP"
	case TypeXARollback:
		return "SESS_XA_ROLLBACK"
	case TypeXAJoin:
		return "SESS_XA_JOIN"
	case TypeXASuspend:
		return "SESS_XA_SUSPEND"
	case TypeXAResume:
		return "SESS_XA_RESUME"
	case TypeXAForget:
		return "SESS_XA_FORGET"
	case TypeXAInDoubt:
		return "SESS_XA_INDOUBT_XIDS"
	case TypeXAInDoubtResponse:
		return "SESS_XA_INDOUBT_XIDS_RESP"
	case TypeXASetTimeout:
		return "SESS_XA_SET_TIMEOUT"
	case TypeXASetTimeoutResponse:
		return "SESS_XA_SET_TIMEOUT_RESP"
	case TypeXAGetTimeout:
		return "SESS_XA_GET_TIMEOUT"
	case TypeXAGetTimeoutResponse:
		return "SESS_XA_GET_TIMEOUT_RESP"
	}
	return ""
}

// Counted says whether the packet takes a command id in the confirmation scheme of its channel. flag is the
// "requires confirmation" field where the type has one that matters (SESS_ADD_METADATA2).
func (t Type) Counted(flag bool) bool {
	switch t {
	case TypeCreateSession, TypeCreateSessionV2, TypeCreateSessionResponse, TypeReattachSession,
		TypeReattachSessionResponse, TypePing, TypeDisconnect, TypeDisconnectV2, TypeDisconnectV3,
		TypePacketsConfirmed, TypeAddMetadata:
		return false
	case TypeAddMetadataV2:
		return flag
	}
	return true
}
