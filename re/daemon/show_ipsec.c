// SPDX-License-Identifier: BSD-2-Clause
/* show and clear security ipsec ... (operational commands, sections 3 and 4). */
#include "cli_server.h"

#include "daemon_priv.h"

#include <stdio.h>
#include <string.h>

struct walk {
	struct daemon *d;
	json_t *args;
	json_t *list;
};

static bool filtered_by_spu(json_t *args)
{
	return cli_number(args, "fpc", -1) >= 0 || cli_number(args, "pic", -1) >= 0;
}

static bool matches(struct walk *w, const struct ike_child_info *i)
{
	long long index = cli_number(w->args, "index", -1);
	const char *family = cli_word(w->args, "family");
	uint8_t slot = spus_serving(w->d, i->anchor);

	if (index >= 0 && i->tunnel != index)
		return false;
	if (family && (strcmp(family, "inet6") == 0) != (i->remote.addr.family == ADDR_V6))
		return false;
	return !filtered_by_spu(w->args) ||
	       (slot < SPU_SLOTS && cli_spu_matches(w->d, w->args, slot));
}

static const char *engine_name(uint8_t engine)
{
	return engine == SA_ENGINE_INLINE ? "inline" : "software";
}

static void put_text(json_t *to, const char *key, const char *text)
{
	json_object_set_new(to, key, json_string(text));
}

static void put_number(json_t *to, const char *key, uint64_t n)
{
	json_object_set_new(to, key, json_integer((json_int_t)n));
}

static uint64_t left(uint64_t hard, uint64_t used)
{
	return hard > used ? hard - used : 0;
}

static json_t *direction(const struct ike_child_info *i, uint32_t spi, const struct sa_usage *u)
{
	char text[12];

	(void)snprintf(text, sizeof(text), "0x%08x", spi);
	json_t *o = json_pack("{s:s, s:i, s:s, s:I, s:I, s:I}", "spi", text, "aux-spi", 0, "engine",
	                      engine_name(u->engine), "packets", (json_int_t)u->packets, "bytes",
	                      (json_int_t)u->bytes, "sequence-number", (json_int_t)u->seq);

	if (i->hard_bytes)
		put_number(o, "life-size-kb", left(i->hard_bytes, u->bytes) / 1024);
	else
		put_text(o, "life-size", "unlimited");
	if (i->hard_packets)
		put_number(o, "life-packets", left(i->hard_packets, u->packets));

	if (i->lifetime_s) {
		json_object_set_new(o, "hard-expires-in-s", json_integer(i->expires_in_s));
		json_object_set_new(o, "soft-expires-in-s", json_integer(i->soft_expires_in_s));
	}
	return o;
}

static json_t *inbound(const struct ike_child_info *i)
{
	json_t *o = direction(i, i->spi_in, &i->in);

	json_object_set_new(o, "authentication-failures", json_integer(i->in.auth_failed));
	json_object_set_new(o, "replay-errors", json_integer(i->in.replayed));
	json_object_set_new(o, "malformed",
	                    json_integer((json_int_t)i->in.bad_headers + i->in.bad_trailers));
	return o;
}

static json_t *selectors(const struct ike_ts *ts, size_t n)
{
	json_t *list = json_array();
	char text[IKE_TS_TEXT_MAX];

	for (size_t k = 0; k < n; k++)
		json_array_append_new(list, json_string(ike_ts_text(&ts[k], text)));
	return list;
}

static const char *df_name(const struct tunnel *t)
{
	static const char *const names[] = {
		[CONFIG_DF_CLEAR] = "clear", [CONFIG_DF_SET] = "set", [CONFIG_DF_COPY] = "copy"
	};

	return t && t->conf ? names[t->conf->df] : "clear";
}

static const char *choice_name(const struct tunnel *t)
{
	static const char *const names[] = { "automatic", "inline", "software" };

	return t && t->engine < ARRAY_LEN(names) ? names[t->engine] : names[0];
}

static void put_tunnel(json_t *sa, const struct tunnel *t)
{
	put_text(sa, "df-bit", df_name(t));
	put_text(sa, "engine-choice", choice_name(t));
	if (t && t->conf)
		put_text(sa, "bind-interface", t->conf->bind->name);
}

static void put_names(json_t *sa, const struct ike_child_info *i)
{
	char text[ADDR_TEXT_MAX];

	put_text(sa, "vpn-name", i->vpn);
	json_object_set_new(sa, "tunnel-index", json_integer(i->tunnel));
	put_text(sa, "virtual-system", "root");
	put_text(sa, "local-gateway", addr_text(&i->local.addr, text));
	put_text(sa, "remote-gateway", addr_text(&i->remote.addr, text));
	json_object_set_new(sa, "port", json_integer(i->udp_encap ? i->remote.port : 500));
	if (i->gateway[0] == 0)
		return;
	put_text(sa, "gateway", i->gateway);
	json_object_set_new(sa, "ike-index", json_integer(i->ike_index));
}

static json_t *sa_object(struct walk *w, const struct ike_child_info *i)
{
	const struct tunnel *t = tunnels_find(&w->d->tunnels, i->tunnel);
	bool manual = t && t->conf && t->conf->manual;
	char algorithm[64];
	json_t *sa = json_object();

	put_names(sa, i);
	put_tunnel(sa, t);
	const char *protocol = i->protocol == PROTO_AH ? "AH" : "ESP";
	(void)snprintf(algorithm, sizeof(algorithm), "%s:%s/%s", protocol,
	               i->cipher ? i->cipher->short_name : "none",
	               i->integ ? i->integ->short_name : "none");
	put_text(sa, "protocol", protocol);
	if (i->cipher)
		put_text(sa, "encryption", i->cipher->name);
	if (i->integ)
		put_text(sa, "authentication", i->integ->name);
	put_text(sa, "algorithm", algorithm);
	json_object_set_new(sa, "extended-sequence-number", json_boolean(i->esn));
	json_object_set_new(sa, "udp-encapsulation", json_boolean(i->udp_encap));
	json_object_set_new(sa, "local-identity", selectors(i->local_ts, i->local_n));
	json_object_set_new(sa, "remote-identity", selectors(i->remote_ts, i->remote_n));
	if (!manual) {
		put_text(sa, "version", "IKEv2");
		put_text(sa, "role", i->initiator ? "Initiator" : "Responder");
	}
	cli_put_location(w->d, sa, i->anchor);
	put_text(sa, "state", i->state);
	put_text(sa, "mode", "tunnel");
	put_text(sa, "type", manual ? "manual" : "dynamic");
	put_text(sa, "anti-replay-service", i->window ? "enabled" : "disabled");
	json_object_set_new(sa, "anti-replay-window", json_integer(i->window));
	json_object_set_new(sa, "inbound", inbound(i));
	json_object_set_new(sa, "outbound", direction(i, i->spi_out, &i->out));
	return sa;
}

static bool add(void *ctx, const struct ike_child_info *i)
{
	struct walk *w = ctx;

	if (matches(w, i))
		json_array_append_new(w->list, sa_object(w, i));
	return true;
}

static json_t *keyed_by_hand(struct daemon *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->config->vpns; i++)
		if (d->config->vpn[i].manual)
			json_array_append_new(list,
			                      json_sprintf("vpn %s is keyed by hand, not by IKE "
			                                   "(CCI-000366)",
			                                   d->config->vpn[i].name));
	return list;
}

json_t *show_ipsec_sas(struct daemon *d, const struct cli_request *r)
{
	json_t *args = r->args;
	struct walk w = { .d = d, .args = args, .list = json_array() };

	ike_each_child(d->ike, add, &w);
	manual_sas_each(d, add, &w);
	json_t *o = json_pack("{s:I, s:o}", "total-active-tunnels",
	                      (json_int_t)json_array_size(w.list), "sa", w.list);
	json_t *warnings = keyed_by_hand(d);
	if (json_array_size(warnings) != 0)
		json_object_set(o, "warning", warnings);
	json_decref(warnings);
	return o;
}

/* IKE-002: each VPN without an IKE gateway is a finding. */
json_t *show_ipsec_compliance(struct daemon *d, const struct cli_request *r)
{
	json_t *list = json_array();

	(void)r;
	for (size_t i = 0; i < d->config->vpns; i++) {
		const struct config_vpn *v = &d->config->vpn[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "vpn-name", v->name,
		                                      "keying", v->manual ? "manual" : "ike",
		                                      "finding", v->manual != NULL));
	}
	return json_pack("{s:o}", "vpn", list);
}

static bool collect(void *ctx, const struct ike_child_info *i)
{
	struct walk *w = ctx;

	if (matches(w, i))
		json_array_append_new(w->list, json_integer(i->tunnel));
	return true;
}

json_t *clear_ipsec_sas(struct daemon *d, const struct cli_request *r)
{
	json_t *args = r->args;
	struct walk w = { .d = d, .args = args, .list = json_array() };
	struct effects fx = { 0 };
	json_t *tunnel;
	size_t n;

	ike_each_child(d->ike, collect, &w);
	json_array_foreach(w.list, n, tunnel)(void) !ike_clear_child(
	        d->ike, (uint32_t)json_integer_value(tunnel), &fx);
	json_t *reply = json_pack("{s:I}", "cleared", (json_int_t)json_array_size(w.list));
	json_decref(w.list);
	daemon_turn(d, &fx);
	return reply;
}

/* ---- statistics ---------------------------------------------------------------------------- */

static json_t *totals_object(const struct totals *t)
{
	static const char *const keys[TOTALS] = {
		[TOTAL_ESP_BYTES_OUT] = "encrypted-bytes",
		[TOTAL_ESP_BYTES_IN] = "decrypted-bytes",
		[TOTAL_ESP_PACKETS_OUT] = "encrypted-packets",
		[TOTAL_ESP_PACKETS_IN] = "decrypted-packets",
		[TOTAL_AH_BYTES_IN] = "ah-input-bytes",
		[TOTAL_AH_BYTES_OUT] = "ah-output-bytes",
		[TOTAL_AH_PACKETS_IN] = "ah-input-packets",
		[TOTAL_AH_PACKETS_OUT] = "ah-output-packets",
		[TOTAL_AH_AUTH_FAILED] = "ah-authentication-failures",
		[TOTAL_REPLAYED] = "replay-errors",
		[TOTAL_ESP_AUTH_FAILED] = "esp-authentication-failures",
		[TOTAL_DECRYPT_FAILED] = "esp-decryption-failures",
		[TOTAL_BAD_HEADERS] = "bad-headers",
		[TOTAL_BAD_TRAILERS] = "bad-trailers",
	};
	json_t *o = json_object();

	for (int i = 0; i < TOTALS; i++)
		json_object_set_new(o, keys[i], json_integer((json_int_t)t->n[i]));
	return o;
}

static json_t *spu_statistics(struct daemon *d, json_t *args)
{
	struct totals sum = { 0 };

	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++) {
		if (!d->spus.at[slot].wanted || !cli_spu_matches(d, args, slot))
			continue;
		struct totals t = totals_of_spu(d, slot);
		for (int i = 0; i < TOTALS; i++)
			sum.n[i] += t.n[i];
	}
	return totals_object(&sum);
}

static json_t *no_tunnel(void)
{
	return cli_error("no such tunnel", "index",
	                 "an ID of show security ipsec security-associations");
}

json_t *show_ipsec_statistics(struct daemon *d, const struct cli_request *r)
{
	long long index = cli_number(r->args, "index", -1);

	if (filtered_by_spu(r->args))
		return spu_statistics(d, r->args);
	if (index >= 0 && tunnels_find(&d->tunnels, (uint32_t)index) == NULL)
		return no_tunnel();
	struct totals t = index >= 0 ? totals_of_tunnel(d, (uint32_t)index) : totals_of_node(d);
	json_t *o = totals_object(&t);
	put_text(o, "virtual-system", "root");
	if (index >= 0)
		json_object_set_new(o, "tunnel-index", json_integer(index));
	return o;
}

/* What security flow drops shows is not touched by it: the sum over all packets has no end. */
json_t *clear_ipsec_statistics(struct daemon *d, const struct cli_request *r)
{
	long long index = cli_number(r->args, "index", -1);
	struct effects fx = { 0 };

	if (index >= 0 && tunnels_find(&d->tunnels, (uint32_t)index) == NULL)
		return no_tunnel();
	if (index >= 0)
		totals_clear_tunnel(d, (uint32_t)index, &fx);
	else if (!filtered_by_spu(r->args))
		totals_clear_node(d, &fx);
	for (uint8_t slot = 0; filtered_by_spu(r->args) && slot < SPU_SLOTS; slot++)
		if (d->spus.at[slot].wanted && cli_spu_matches(d, r->args, slot))
			totals_clear_spu(d, slot, &fx);
	daemon_turn(d, &fx);
	return json_object();
}
