// SPDX-License-Identifier: BSD-2-Clause
#include "render.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One scalar as text, "-" when it is not there. */
struct cell {
	char s[256];
};

static struct cell cell_of(const json_t *value)
{
	struct cell c = { "-" };

	if (json_is_string(value))
		(void)snprintf(c.s, sizeof(c.s), "%s", json_string_value(value));
	else if (json_is_integer(value))
		(void)snprintf(c.s, sizeof(c.s), "%" PRId64, (int64_t)json_integer_value(value));
	else if (json_is_real(value))
		(void)snprintf(c.s, sizeof(c.s), "%.1f", json_real_value(value));
	else if (json_is_boolean(value))
		(void)snprintf(c.s, sizeof(c.s), "%s", json_is_true(value) ? "yes" : "no");
	return c;
}

/* A string of any length. */
static const char *text_value(const json_t *value)
{
	return json_is_string(value) ? json_string_value(value) : "-";
}

/* Makes GET(o, "key") an argument for %s: the text lives as long as the call it is in. */
#define GET(o, key) (cell_of(json_object_get((o), (key))).s)

static json_int_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* ---- show security ike security-associations ------------------------------------------------- */

static void ike_brief(const json_t *list, struct text *out)
{
	const json_t *sa;
	size_t i;

	text_add(out, "Index   State  Initiator cookie  Responder cookie  Mode           Remote "
	              "Address\n");
	json_array_foreach(list, i, sa)
	        text_add(out, "%-7s %-6s %-16s  %-16s  %-13s  %s\n", GET(sa, "index"),
	                 GET(sa, "state"), GET(sa, "initiator-cookie"), GET(sa, "responder-cookie"),
	                 GET(sa, "mode"), GET(sa, "remote-address"));
}

static void flags_text(const json_t *flags, struct text *out)
{
	const json_t *flag;
	size_t i;

	json_array_foreach(flags, i, flag) text_add(out, "%s%s", i ? ", " : "", cell_of(flag).s);
	if (json_array_size(flags) == 0)
		text_add(out, "-");
}

static void location(const json_t *o, const char *indent, struct text *out)
{
	text_add(out, "%sLocation: FPC %s, PIC %s, KMD-Instance %s, Anchor %s\n", indent,
	         GET(o, "fpc"), GET(o, "pic"), GET(o, "kmd-instance"), GET(o, "anchor"));
}

static void expires(const json_t *o, const char *key, const char *what, struct text *out)
{
	const json_t *s = json_object_get(o, key);

	if (s == NULL)
		return;
	if (json_integer_value(s) > 0)
		text_add(out, "%s: Expires in %s seconds\n", what, cell_of(s).s);
	else
		text_add(out, "%s: Expired\n", what);
}

static void ike_one(const json_t *sa, struct text *out)
{
	text_add(out, "IKE peer %s, Index %s, Gateway Name: %s\n", GET(sa, "remote-address"),
	         GET(sa, "index"), GET(sa, "gateway"));
	location(sa, "  ", out);
	text_add(out, "  Role: %s, State: %s\n", GET(sa, "role"), GET(sa, "state"));
	text_add(out, "  Initiator cookie: %s, Responder cookie: %s\n", GET(sa, "initiator-cookie"),
	         GET(sa, "responder-cookie"));
	text_add(out, "  Exchange type: %s, Authentication method: %s\n", GET(sa, "exchange-type"),
	         GET(sa, "authentication-method"));
	text_add(out, "  Local: %s, Remote: %s\n", GET(sa, "local"), GET(sa, "remote"));
	expires(sa, "expires-in-s", "  Lifetime", out);
	text_add(out, "  Local ike-id: %s\n", GET(sa, "local-ike-id"));
	text_add(out, "  Peer ike-id: %s\n", GET(sa, "peer-ike-id"));
	text_add(out, "  Algorithms:\n");
	text_add(out, "   Authentication        : %s\n", GET(sa, "authentication"));
	text_add(out, "   Encryption            : %s\n", GET(sa, "encryption"));
	text_add(out, "   Pseudo random function: %s\n", GET(sa, "pseudo-random-function"));
	text_add(out, "   Diffie-Hellman group  : %s\n", GET(sa, "diffie-hellman-group"));
	text_add(out, "  Traffic statistics:\n");
	text_add(out, "   Input  bytes  : %20s\n", GET(sa, "input-bytes"));
	text_add(out, "   Output bytes  : %20s\n", GET(sa, "output-bytes"));
	text_add(out, "   Input  packets: %20s\n", GET(sa, "input-packets"));
	text_add(out, "   Output packets: %20s\n", GET(sa, "output-packets"));
	text_add(out, "  Flags: ");
	flags_text(json_object_get(sa, "flags"), out);
	text_add(out, "\n  IPSec security associations: %s created, %s deleted\n",
	         GET(sa, "ipsec-security-associations-created"),
	         GET(sa, "ipsec-security-associations-deleted"));
}

static void render_ike(const struct cli_request *r, const json_t *reply, struct text *out)
{
	const json_t *list = json_object_get(reply, "sa"), *sa;
	size_t i;

	if (!cli_arg_flag(r, "detail")) {
		ike_brief(list, out);
		return;
	}
	json_array_foreach(list, i, sa)
	{
		text_add(out, "%s", i ? "\n" : "");
		ike_one(sa, out);
	}
}

/* ---- show security ike active-peer, peers, stats --------------------------------------------- */

static void render_active_peer(const struct cli_request *r, const json_t *reply, struct text *out)
{
	bool detail = cli_arg_flag(r, "detail");
	const json_t *peer;
	size_t i;

	text_add(out, "%-35s %-8s %-35s %-35s %s\n", "Remote Address", "Port", "Peer IKE-ID",
	         "XAUTH username", "Assigned IP");
	json_array_foreach(json_object_get(reply, "peer"), i, peer)
	{
		text_add(out, "%-35s %-8s %-35s %-35s %s\n", GET(peer, "remote-address"),
		         GET(peer, "port"), GET(peer, "peer-ike-id"), "-", "-");
		if (detail)
			text_add(out,
			         "  Gateway: %s, Local: %s, Index: %s, Role: %s, IPSec security "
			         "associations: %s created\n",
			         GET(peer, "gateway"), GET(peer, "local"), GET(peer, "index"),
			         GET(peer, "role"),
			         GET(peer, "ipsec-security-associations-created"));
	}
}

static void render_peers(const struct cli_request *r, const json_t *reply, struct text *out)
{
	const json_t *peer;
	size_t i;

	(void)r;
	text_add(out, "%-12s %-28s %-20s %-19s %8s %8s %s\n", "State", "Remote", "Gateway",
	         "Reason", "Backoff", "Refused", "Peer IKE-ID");
	json_array_foreach(json_object_get(reply, "peer"), i, peer) text_add(
	        out, "%-12s %-28s %-20s %-19s %8s %8s %s\n", GET(peer, "state"),
	        GET(peer, "remote"), GET(peer, "gateway"),
	        GET(peer, json_object_get(peer, "reason") ? "reason" : "exchange-state"),
	        GET(peer, "backoff-expires-in-s"), GET(peer, "refused"), GET(peer, "peer-ike-id"));
}

static void render_ike_stats(const struct cli_request *r, const json_t *reply, struct text *out)
{
	const json_t *value;
	const char *key;

	(void)r;
	json_object_foreach((json_t *)(uintptr_t)reply, key, value)
	        text_add(out, "%-32s %20s\n", key, cell_of(value).s);
}

/* ---- show security ipsec security-associations ----------------------------------------------- */

/* SPIs stand in tables without their 0x. */
static const char *bare_spi(const char *spi)
{
	return strncmp(spi, "0x", 2) == 0 ? spi + 2 : spi;
}

static void ipsec_line(const json_t *sa, const char *direction, char mark, struct text *out)
{
	const json_t *way = json_object_get(sa, direction);
	struct cell kb = cell_of(json_object_get(way, "life-size-kb"));
	bool installed = strcmp(GET(sa, "state"), "installed") == 0;

	text_add(out, "  %c%-6s %-20s %-8s %6s/ %-7s %-3s %-4s %-5s %s\n", mark,
	         GET(sa, "tunnel-index"), GET(sa, "algorithm"), bare_spi(GET(way, "spi")),
	         GET(way, "hard-expires-in-s"),
	         json_object_get(way, "life-size-kb") ? kb.s : "unlim", installed ? "I" : "N",
	         GET(sa, "virtual-system"), GET(sa, "port"), GET(sa, "remote-gateway"));
}

static void ipsec_brief(const json_t *reply, struct text *out)
{
	const json_t *sa;
	size_t i;

	text_add(out, "  Total active tunnels: %s\n", GET(reply, "total-active-tunnels"));
	text_add(
	        out,
	        "  ID      Algorithm            SPI      Life:sec/kb     Sta vsys Port  Gateway\n");
	json_array_foreach(json_object_get(reply, "sa"), i, sa)
	{
		ipsec_line(sa, "inbound", '<', out);
		ipsec_line(sa, "outbound", '>', out);
	}
}

static void identities(const json_t *list, const char *what, struct text *out)
{
	const json_t *id;
	size_t i;

	json_array_foreach(list, i, id) text_add(out, "  %s Identity: %s\n", what, cell_of(id).s);
}

static void ipsec_way(const json_t *sa, const char *direction, struct text *out)
{
	const json_t *way = json_object_get(sa, direction);

	text_add(out, "\n");
	location(sa, "    ", out);
	text_add(out, "    Direction: %s, SPI: %s, AUX-SPI: %s, VPN Monitoring: -\n", direction,
	         GET(way, "spi"), GET(way, "aux-spi"));
	expires(way, "hard-expires-in-s", "    Hard lifetime", out);
	if (json_object_get(way, "life-size-kb"))
		text_add(out, "    Lifesize Remaining: Expires in %s kilobytes\n",
		         GET(way, "life-size-kb"));
	else if (strcmp(GET(sa, "type"), "manual") != 0)
		text_add(out, "    Lifesize Remaining: Unlimited\n");
	if (json_object_get(way, "life-packets"))
		text_add(out, "    Packets Remaining: Expires in %s packets\n",
		         GET(way, "life-packets"));
	expires(way, "soft-expires-in-s", "    Soft lifetime", out);
	text_add(out, "    Mode: %s, Type: %s, State: %s\n", GET(sa, "mode"), GET(sa, "type"),
	         GET(sa, "state"));
	text_add(out, "    Protocol: %s, Authentication: %s, Encryption: %s\n", GET(sa, "protocol"),
	         GET(sa, "authentication"), GET(sa, "encryption"));
	text_add(out, "    Anti-replay service: counter-based %s, Replay window size: %s\n",
	         GET(sa, "anti-replay-service"), GET(sa, "anti-replay-window"));
	text_add(out, "    Extended sequence number: %s, Sequence number: %s\n",
	         GET(sa, "extended-sequence-number"), GET(way, "sequence-number"));
	text_add(out, "    Engine: %s, Packets: %s, Bytes: %s\n", GET(way, "engine"),
	         GET(way, "packets"), GET(way, "bytes"));
}

static void ipsec_one(const json_t *sa, struct text *out)
{
	text_add(out, "  ID: %s Virtual-system: %s, VPN Name: %s\n", GET(sa, "tunnel-index"),
	         GET(sa, "virtual-system"), GET(sa, "vpn-name"));
	text_add(out, "  Local Gateway: %s, Remote Gateway: %s, Port: %s\n",
	         GET(sa, "local-gateway"), GET(sa, "remote-gateway"), GET(sa, "port"));
	identities(json_object_get(sa, "local-identity"), "Local", out);
	identities(json_object_get(sa, "remote-identity"), "Remote", out);
	text_add(out, "  Version: %s\n", GET(sa, "version"));
	text_add(out, "    DF-bit: %s, Bind-interface: %s, Engine choice: %s\n", GET(sa, "df-bit"),
	         GET(sa, "bind-interface"), GET(sa, "engine-choice"));
	if (json_object_get(sa, "inbound"))
		ipsec_way(sa, "inbound", out);
	if (json_object_get(sa, "outbound"))
		ipsec_way(sa, "outbound", out);
}

static void ipsec_warnings(const json_t *reply, struct text *out)
{
	const json_t *warning;
	size_t i;

	json_array_foreach(json_object_get(reply, "warning"), i, warning)
	        text_add(out, "warning: %s\n", cell_of(warning).s);
}

static void render_compliance(const struct cli_request *r, const json_t *reply, struct text *out)
{
	const json_t *vpn;
	size_t i;

	(void)r;
	text_add(out, "%-32s %-8s %s\n", "VPN", "Keying", "Finding");
	json_array_foreach(json_object_get(reply, "vpn"), i, vpn)
	        text_add(out, "%-32s %-8s %s\n", GET(vpn, "vpn-name"), GET(vpn, "keying"),
	                 json_is_true(json_object_get(vpn, "finding")) ? "yes" : "no");
}

static void render_ipsec(const struct cli_request *r, const json_t *reply, struct text *out)
{
	const json_t *sa;
	uint32_t index;
	size_t i;

	/* An index alone gives the block, as on Junos. */
	if (!cli_arg_flag(r, "detail") &&
	    (cli_arg_flag(r, "brief") || !cli_arg_uint(r, "index", &index))) {
		ipsec_brief(reply, out);
		ipsec_warnings(reply, out);
		return;
	}
	json_array_foreach(json_object_get(reply, "sa"), i, sa)
	{
		text_add(out, "%s", i ? "\n" : "");
		ipsec_one(sa, out);
	}
	ipsec_warnings(reply, out);
}

/* ---- show security ipsec statistics -----------------------------------------------------------
 */

static void render_statistics(const struct cli_request *r, const json_t *s, struct text *out)
{
	static const struct {
		const char *title, *key;
	} rows[] = {
		{ "ESP Statistics:", NULL },
		{ "Encrypted bytes:", "encrypted-bytes" },
		{ "Decrypted bytes:", "decrypted-bytes" },
		{ "Encrypted packets:", "encrypted-packets" },
		{ "Decrypted packets:", "decrypted-packets" },
		{ "AH Statistics:", NULL },
		{ "Input bytes:", "ah-input-bytes" },
		{ "Output bytes:", "ah-output-bytes" },
		{ "Input packets:", "ah-input-packets" },
		{ "Output packets:", "ah-output-packets" },
	};

	(void)r;
	if (json_object_get(s, "virtual-system"))
		text_add(out, "  Virtual-system: %s\n", GET(s, "virtual-system"));
	if (json_object_get(s, "tunnel-index"))
		text_add(out, "  SA index: %s\n", GET(s, "tunnel-index"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].key)
			text_add(out, "  %-19s %20s\n", rows[i].title, GET(s, rows[i].key));
		else
			text_add(out, "%s\n", rows[i].title);
	}
	text_add(out, "Errors:\n");
	text_add(out, "  AH authentication failures: %s, Replay errors: %s\n",
	         GET(s, "ah-authentication-failures"), GET(s, "replay-errors"));
	text_add(out, "  ESP authentication failures: %s, ESP decryption failures: %s\n",
	         GET(s, "esp-authentication-failures"), GET(s, "esp-decryption-failures"));
	text_add(out, "  Bad headers: %s, Bad trailers: %s\n", GET(s, "bad-headers"),
	         GET(s, "bad-trailers"));
}

/* ---- show chassis spu, show security flow drops -----------------------------------------------
 */

static void render_spu(const struct cli_request *r, const json_t *reply, struct text *out)
{
	const json_t *spu;
	size_t i;

	(void)r;
	text_add(out, "FPC PIC State    Port     Profile  Offload  Weight Anchors SAs inline SAs "
	              "software "
	              "  Packets in  Packets out  CPU %%\n");
	json_array_foreach(json_object_get(reply, "spu"), i, spu)
	        text_add(out, "%3s %3s %-8s %-8s %-8s %-8s %6s %7s %10s %12s %12s %12s %6s\n",
	                 GET(spu, "fpc"), GET(spu, "pic"), GET(spu, "state"), GET(spu, "port"),
	                 GET(spu, "profile"), GET(spu, "offload"), GET(spu, "weight"),
	                 GET(spu, "anchors"), GET(spu, "sas-inline"), GET(spu, "sas-software"),
	                 GET(spu, "packets-in"), GET(spu, "packets-out"), GET(spu, "cpu-percent"));
}

static void render_drops(const struct cli_request *r, const json_t *reply, struct text *out)
{
	static const char *const sums[] = { "in", "out", "held", "made", "merged", "consumed" };
	const json_t *list = json_object_get(reply, "drop"), *drop;
	json_int_t dropped = 0;
	size_t i;

	(void)r;
	json_array_foreach(list, i, drop) dropped += number(drop, "packets");
	for (i = 0; i < ARRAY_LEN(sums); i++)
		text_add(out, "%-9s %20s\n", sums[i], GET(reply, sums[i]));
	text_add(out, "%-9s %20" PRId64 "\n", "dropped", (int64_t)dropped);
	if (json_array_size(list) == 0)
		return;
	text_add(out, "\n%-36s %-14s %20s\n", "Reason", "Where", "Packets");
	json_array_foreach(list, i, drop) text_add(out, "%-36s %-14s %20s\n", GET(drop, "reason"),
	                                           GET(drop, "where"), GET(drop, "packets"));
}

/* ---- configuration, clear, request ------------------------------------------------------------
 */

static void render_configuration(const struct cli_request *r, const json_t *reply, struct text *out)
{
	const char *s =
	        json_string_value(json_object_get(reply, r->display == CLI_SET ? "set" : "braces"));

	text_add(out, "%s", s ? s : "");
	s = json_string_value(json_object_get(reply, "inheritance"));
	if (s && r->display == CLI_INHERITANCE)
		text_add(out, "%s", s);
}

static void render_load(const struct cli_request *r, const json_t *reply, struct text *out)
{
	const json_t *warning;
	size_t i;

	(void)r;
	json_array_foreach(json_object_get(reply, "warning"), i, warning)
	        text_add(out, "%s\n", text_value(warning));
	text_add(out, "load complete\n");
}

/* Silent, as on Junos. */
static void render_nothing(const struct cli_request *r, const json_t *reply, struct text *out)
{
	(void)r;
	(void)reply;
	(void)out;
}

static void (*const renderers[CLI_COMMANDS])(const struct cli_request *r, const json_t *reply,
                                             struct text *out) = {
	[CLI_SHOW_IKE_SA] = render_ike,
	[CLI_SHOW_IKE_ACTIVE_PEER] = render_active_peer,
	[CLI_SHOW_IKE_PEERS] = render_peers,
	[CLI_SHOW_IKE_STATS] = render_ike_stats,
	[CLI_SHOW_IPSEC_SA] = render_ipsec,
	[CLI_SHOW_IPSEC_STATISTICS] = render_statistics,
	[CLI_SHOW_IPSEC_COMPLIANCE] = render_compliance,
	[CLI_SHOW_CHASSIS_SPU] = render_spu,
	[CLI_SHOW_FLOW_DROPS] = render_drops,
	[CLI_SHOW_CONFIGURATION] = render_configuration,
	[CLI_CLEAR_IKE_SA] = render_nothing,
	[CLI_CLEAR_IKE_PEERS] = render_nothing,
	[CLI_CLEAR_IKE_STATS] = render_nothing,
	[CLI_CLEAR_IPSEC_SA] = render_nothing,
	[CLI_CLEAR_IPSEC_STATISTICS] = render_nothing,
	[CLI_REQUEST_OFFLOAD] = render_nothing,
	[CLI_REQUEST_ANCHOR] = render_nothing,
	[CLI_REQUEST_LOAD] = render_load,
};

enum err cli_render(const struct cli_request *r, const json_t *reply, struct text *out)
{
	renderers[r->command->id](r, reply, out);
	return out->bad ? ERR_FULL : ERR_OK;
}

void cli_render_error(const json_t *reply, struct text *out)
{
	const json_t *error = json_object_get(reply, "error"), *message;
	size_t i;

	text_add(out, "error: ");
	if (json_object_get(error, "path"))
		text_add(out, "%s: ", GET(error, "path"));
	text_add(out, "%s", GET(error, "what"));
	if (json_object_get(error, "expected"))
		text_add(out, "; expected %s", GET(error, "expected"));
	text_add(out, "\n");
	json_array_foreach(json_object_get(error, "message"), i, message)
	        text_add(out, "%s\n", text_value(message));
}
