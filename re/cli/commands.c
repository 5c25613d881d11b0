// SPDX-License-Identifier: BSD-2-Clause
#include "commands.h"

/* clang-format off */
#define END { 0 }
#define BRIEF_DETAIL \
	{ "brief", "brief", CLI_FLAG, 0, 0, NULL, false, "One line for each (the default)" }, \
	{ "detail", "detail", CLI_FLAG, 0, 0, NULL, false, "All there is to know" }
#define FAMILY \
	{ "family", "family", CLI_WORD, 0, 0, "inet inet6", false, "Gateway addresses of this family" }
#define FPC_PIC \
	{ "fpc", "fpc", CLI_UINT, 0, 15, NULL, false, "Slot of the SPU" }, \
	{ "pic", "pic", CLI_UINT, 0, 3, NULL, false, "Number of the SPU in its slot" }
#define INDEX(must, help) \
	{ "index", "index", CLI_UINT, 1, UINT32_MAX, NULL, must, help }
#define PEER \
	{ NULL, "peer-address", CLI_ADDRESS, 0, 0, NULL, false, "Address of the peer" }

static const struct cli_arg ike_sa[] = {
	PEER, BRIEF_DETAIL, FAMILY, FPC_PIC, INDEX(false, "The IKE SA with this index"), END
};
static const struct cli_arg active_peer[] = { BRIEF_DETAIL, END };
static const struct cli_arg ike_peers[] = {
	{ NULL, "which", CLI_WORD, 0, 0, "in-progress blocked failed backoff", false,
	  "Only those that negotiate, are on a blocklist, failed, or have to wait" },
	END
};
static const struct cli_arg no_arguments[] = { END };
static const struct cli_arg ipsec_sa[] = {
	BRIEF_DETAIL, FAMILY, FPC_PIC, INDEX(false, "The tunnel with this index, in detail"), END
};
static const struct cli_arg statistics[] = {
	FPC_PIC, INDEX(false, "The tunnel with this index"), END
};
static const struct cli_arg compliance[] = {
	{ "stig", "stig", CLI_FLAG, 0, 0, NULL, false, "By SRG-NET-000512, CCI-000366 (the default)" }, END
};
static const struct cli_arg spu[] = { FPC_PIC, END };
static const struct cli_arg configuration[] = {
	{ NULL, "path", CLI_PATH, 0, 0, NULL, false, "Statement to begin at" },
	END
};
static const struct cli_arg clear_ike[] = {
	PEER,
	{ "port", "port", CLI_UINT, 1, 65535, NULL, false, "UDP port of the peer" },
	FAMILY, FPC_PIC, INDEX(false, "The IKE SA with this index"), END
};
static const struct cli_arg clear_ipsec[] = {
	FAMILY, FPC_PIC, INDEX(false, "The tunnel with this index"), END
};
static const struct cli_arg offload[] = {
	INDEX(true, "The tunnel with this index"),
	{ "engine", "engine", CLI_WORD, 0, 0, "inline software automatic", true,
	  "The NIC's inline crypto, software, or what fits best" },
	END
};
static const struct cli_arg ipsec_rekey[] = { INDEX(true, "The tunnel with this index"), END };
static const struct cli_arg ike_rekey[] = { INDEX(true, "The IKE SA with this index"), END };
static const struct cli_arg anchor[] = {
	{ NULL, "anchor", CLI_UINT, 0, 255, NULL, true, "Number of the anchor" },
	{ "fpc-slot", "fpc-slot", CLI_UINT, 0, 15, NULL, true, "Slot of the SPU that gets it" },
	{ "pic-slot", "pic-slot", CLI_UINT, 0, 3, NULL, true, "Number of the SPU in its slot" },
	END
};
static const struct cli_arg load[] = {
	{ NULL, "file", CLI_FILE, 0, 0, NULL, true, "File with the whole configuration" },
	END
};

/* Layouts: ? after a key means that it is left out where there is nothing to say. Numbers are
 * numbers. A list is empty when there is nothing, which is no error. */
const struct cli_command cli_commands[] = {
	{ CLI_SHOW_IKE_SA, "show security ike security-associations", CLI_VIEW, ike_sa,
	  "IKE SAs",
	  "{\"sa\": [{"
	  "\"index\": N, \"state\": \"UP\"|\"DOWN\", "
	  "\"initiator-cookie\": \"16 hex digits\", \"responder-cookie\": \"16 hex digits\", "
	  "\"mode\": \"IKEv2\", \"remote-address\": \"A\", "
	  "\"gateway\": \"name\", \"anchor\": N, \"fpc\"?: N, \"pic\"?: N, \"kmd-instance\": N, "
	  "\"role\": \"Initiator\"|\"Responder\", \"exchange-type\": \"IKEv2\", "
	  "\"authentication-method\": \"Pre-shared-keys\", "
	  "\"local\": \"A:port\", \"remote\": \"A:port\", "
	  "\"expires-in-s\"?: N, \"local-ike-id\"?: \"text\", \"peer-ike-id\"?: \"text\", "
	  "\"authentication\"?: \"hmac-sha-256-128\", \"encryption\": \"aes-256-gcm\", "
	  "\"pseudo-random-function\": \"hmac-sha256\", \"diffie-hellman-group\": \"group31\", "
	  "\"input-bytes\": N, \"output-bytes\": N, \"input-packets\": N, \"output-packets\": N, "
	  "\"flags\": [\"IKE SA is created\"], "
	  "\"ipsec-security-associations-created\": N, \"ipsec-security-associations-deleted\": N, "
	  "\"exchange-state\": \"text\", \"retransmits\": N, \"window-size\": N, "
	  "\"peer-window-size\": N, \"rekeys-since-authentication\": N, \"nat-local\": bool, "
	  "\"nat-remote\": bool, \"udp-encapsulation\": bool, \"mobike\": bool, \"ppk\": bool, "
	  "\"fragmentation\": bool, \"fragment-size-bytes\"?: N, \"input-fragments\"?: N, "
	  "\"output-fragments\"?: N, \"reassembled-messages\"?: N"
	  "}]}" },
	{ CLI_SHOW_IKE_ACTIVE_PEER, "show security ike active-peer", CLI_VIEW, active_peer,
	  "Peers that are connected",
	  "{\"peer\": [{"
	  "\"remote-address\": \"A\", \"port\": N, \"peer-ike-id\": \"text\", \"gateway\": \"name\", "
	  "\"local\": \"A:port\", \"index\": N, \"role\": \"Initiator\"|\"Responder\" (ours), "
	  "\"ipsec-security-associations-created\": N"
	  "}]}" },
	{ CLI_SHOW_IKE_PEERS, "show security ike peers", CLI_VIEW, ike_peers,
	  "Peers that are not connected: they negotiate, failed, are blocked, or have to wait",
	  "{\"peer\": [{"
	  "\"state\": \"in-progress\"|\"blocked\"|\"failed\"|\"backoff\", "
	  "\"remote\": \"A:port\", \"local\": \"A:port\", \"gateway\"?: \"name\", "
	  "\"role\": \"Initiator\"|\"Responder\" (the peer's), "
	  "\"peer-ike-id\"?: \"text\", \"peer-ike-id-type\"?: \"hostname\", "
	  "\"index\"?: N, \"exchange-state\"?: \"text\" (in progress), "
	  "\"reason\"?: \"init-phase-failure\"|\"auth-phase-failure\"|\"blocked\", "
	  "\"blocklist\"?: \"name\", \"rule\"?: \"name\", \"action\"?: \"reject\"|\"discard\", "
	  "\"failures\"?: N, \"refused\"?: N, \"failed-before-s\"?: N, \"backoff-expires-in-s\"?: N"
	  "}]}" },
	{ CLI_SHOW_IKE_STATS, "show security ike stats", CLI_VIEW, no_arguments,
	  "Counters of IKE",
	  "{\"in-progress\": N, \"half-open\": N, \"established\": N, \"expired\": N, and further counters: N}" },
	{ CLI_SHOW_IPSEC_SA, "show security ipsec security-associations", CLI_VIEW, ipsec_sa,
	  "IPsec SAs, one entry for each pair",
	  "{\"total-active-tunnels\": N, \"sa\": [{"
	  "\"vpn-name\": \"V\", \"tunnel-index\": N, \"virtual-system\": \"root\", "
	  "\"local-gateway\": \"A\", \"remote-gateway\": \"A\", \"port\": N, \"gateway\": \"name\", "
	  "\"ike-index\": N, \"role\": \"Initiator\"|\"Responder\", \"udp-encapsulation\": bool, "
	  "\"bind-interface\": \"st0.0\", "
	  "\"protocol\": \"ESP\", \"authentication\"?: \"text\", \"encryption\": \"aes-128-gcm\", "
	  "\"algorithm\": \"ESP:aes-gcm-128/none\", \"extended-sequence-number\": bool, "
	  "\"local-identity\": [\"ipv4_subnet(any:0,[0..7]=10.1.0.0/16)\"], "
	  "\"remote-identity\": [\"…\"], "
	  "\"version\"?: \"IKEv2\", \"df-bit\": \"clear\"|\"copy\"|\"set\", "
	  "\"anchor\": N, \"fpc\"?: N, \"pic\"?: N, \"kmd-instance\": N, "
	  "\"state\": \"installed\"|\"not installed\", \"mode\": \"tunnel\", \"type\": \"dynamic\"|\"manual\", "
	  "\"anti-replay-service\": \"enabled\"|\"disabled\", \"anti-replay-window\": N, "
	  "\"engine-choice\": \"automatic\"|\"inline\"|\"software\", "
	  "\"inbound\": {\"spi\": \"0x1a2b3c4d\", \"aux-spi\": 0, \"engine\": \"inline\"|\"software\", "
	  "\"packets\": N, \"bytes\": N, \"sequence-number\": N, "
	  "\"hard-expires-in-s\"?: N, \"soft-expires-in-s\"?: N, \"life-size-kb\"?: N, \"life-size\"?: \"unlimited\", "
	  "\"life-packets\"?: N, "
	  "\"authentication-failures\": N, \"replay-errors\": N, \"malformed\": N}, "
	  "\"outbound\": {the same, without the three last}"
	  "}], \"warning\"?: [\"text\"]}" },
	{ CLI_SHOW_IPSEC_STATISTICS, "show security ipsec statistics", CLI_VIEW, statistics,
	  "Counters of the tunnels: all, one, or those of an SPU",
	  "{\"virtual-system\"?: \"root\", \"tunnel-index\"?: N, "
	  "\"encrypted-bytes\": N, \"decrypted-bytes\": N, "
	  "\"encrypted-packets\": N, \"decrypted-packets\": N, "
	  "\"ah-input-bytes\": N, \"ah-output-bytes\": N, "
	  "\"ah-input-packets\": N, \"ah-output-packets\": N, "
	  "\"ah-authentication-failures\": N, \"replay-errors\": N, "
	  "\"esp-authentication-failures\": N, \"esp-decryption-failures\": N, "
	  "\"bad-headers\": N, \"bad-trailers\": N}" },
	{ CLI_SHOW_IPSEC_COMPLIANCE, "show security ipsec compliance", CLI_VIEW, compliance,
	  "How each VPN is keyed; one that is not keyed by IKE is a finding",
	  "{\"vpn\": [{\"vpn-name\": \"name\", \"keying\": \"ike\"|\"manual\", \"finding\": bool}]}" },
	{ CLI_SHOW_CHASSIS_SPU, "show chassis spu", CLI_VIEW, spu,
	  "SPUs, what they hold and do",
	  "{\"spu\": [{"
	  "\"slot\": N, \"fpc\": N, \"pic\": N, \"state\": \"active\"|\"starting\"|\"syncing\"|\"ready\"|"
	  "\"stopping\"|\"failed\"|\"absent\", "
	  "\"port\": \"emulated\"|\"vdev\", \"vdev\"?: \"arguments\", "
	  "\"profile\": \"generic\"|\"82599\"|\"none\", \"offload\": \"inline\"|\"software\", "
	  "\"weight\": N, \"anchors\": N, \"sas-inline\": N, \"sas-software\": N, "
	  "\"packets-in\": N, \"packets-out\": N, \"cpu-percent\"?: real, "
	  "\"decrypted\": N, \"encrypted\": N, \"decrypted-inline\": N, \"encrypted-inline\": N, "
	  "\"promotions\": N, \"demotions\": N, \"starts\": N, \"failures\": N, "
	  "\"applied-revision\": N, \"pid\"?: N"
	  "}], \"store-revision\": N, \"moves\": N, \"moves-late\": N}" },
	{ CLI_SHOW_FLOW_DROPS, "show security flow drops", CLI_VIEW, spu,
	  "Where every packet went: in = out + dropped + held, with what was made, merged, consumed",
	  "{\"in\": N, \"out\": N, \"held\": N, \"made\": N, \"merged\": N, \"consumed\": N, "
	  "\"drop\": [{\"reason\": \"text\", \"name\": \"short\", "
	  "\"where\": \"edge\"|\"fabric\"|\"spu-0-0\"|…, "
	  "\"packets\": N}]}" },
	{ CLI_SHOW_CONFIGURATION, "show configuration", CLI_VIEW, configuration,
	  "The configuration in force",
	  "{\"configuration\": {the statements, nested}, \"braces\": \"text\", \"set\": \"text\"}" },
	{ CLI_CLEAR_IKE_SA, "clear security ike security-associations", CLI_CLEAR, clear_ike,
	  "Delete IKE SAs, with the IPsec SAs under them",
	  "{\"cleared\": N}" },
	{ CLI_CLEAR_IKE_PEERS, "clear security ike peers", CLI_CLEAR, ike_peers,
	  "Forget peers that failed, are blocked or have to wait; abandon negotiations",
	  "{\"cleared\": N}" },
	{ CLI_CLEAR_IKE_STATS, "clear security ike stats", CLI_CLEAR, no_arguments,
	  "Let the counters of IKE begin with 0",
	  "{\"cleared\": N}" },
	{ CLI_CLEAR_IPSEC_SA, "clear security ipsec security-associations", CLI_CLEAR, clear_ipsec,
	  "Delete IPsec SAs; the IKE SAs stay",
	  "{\"cleared\": N}" },
	{ CLI_CLEAR_IPSEC_STATISTICS, "clear security ipsec statistics", CLI_CLEAR, statistics,
	  "Let the counters of the tunnels begin with 0: of all, of one, or those of an SPU",
	  "{}" },
	{ CLI_REQUEST_OFFLOAD, "request security ipsec offload", CLI_CONTROL, offload,
	  "Choose the engine of a tunnel",
	  "{\"tunnel-index\": N, \"engine-choice\": \"inline\"|\"software\"|\"automatic\"}" },
	{ CLI_REQUEST_IPSEC_REKEY, "request security ipsec rekey", CLI_CONTROL, ipsec_rekey,
	  "Rekey a tunnel now, whatever its lifetime; shows whether the peer agrees to perfect forward "
	  "secrecy",
	  "{\"tunnel-index\": N}" },
	{ CLI_REQUEST_IKE_REKEY, "request security ike rekey", CLI_CONTROL, ike_rekey,
	  "Rekey an IKE SA now, whatever its lifetime", "{\"index\": N}" },
	{ CLI_REQUEST_ANCHOR, "request chassis anchor", CLI_CONTROL, anchor,
	  "Move an anchor to an SPU",
	  "{\"anchor\": N, \"fpc\": N, \"pic\": N}" },
	{ CLI_REQUEST_LOAD, "request system configuration load", CLI_CONTROL, load,
	  "Check a file, and put it in force when it has no error",
	  "{\"file\": \"path\", \"warning\": [\"FILE:LINE: warning: …\"]}, or {\"error\": {\"what\": \"…\", "
	  "\"message\": [\"FILE:LINE: error: …\"]}}" },
};
/* clang-format on */

_Static_assert(ARRAY_LEN(cli_commands) == CLI_COMMANDS, "a row for each command");
