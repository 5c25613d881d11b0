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

static json_t *direction(const struct ike_child_info *i, uint32_t spi, const struct sa_usage *u)
{
	char text[12];

	(void)snprintf(text, sizeof(text), "0x%08x", spi);
	json_t *o = json_pack("{s:s, s:i, s:s, s:I, s:I, s:I, s:s}", "spi", text, "aux-spi", 0,
	                      "engine", engine_name(u->engine), "packets", (json_int_t)u->packets,
	                      "bytes", (json_int_t)u->bytes, "sequence-number", (json_int_t)u->seq,
	                      "life-size", "unlimited");

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
	json_object_set_new(o, "malformed", json_integer(i->in.malformed));
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

static void put_text(json_t *to, const char *key, const char *text)
{
	json_object_set_new(to, key, json_string(text));
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
	put_text(sa, "gateway", i->gateway);
	json_object_set_new(sa, "ike-index", json_integer(i->ike_index));
}

static json_t *sa_object(struct walk *w, const struct ike_child_info *i)
{
	char algorithm[64];
	json_t *sa = json_object();

	put_names(sa, i);
	put_tunnel(sa, tunnels_find(&w->d->tunnels, i->tunnel));
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
	put_text(sa, "version", "IKEv2");
	put_text(sa, "role", i->initiator ? "Initiator" : "Responder");
	cli_put_location(w->d, sa, i->anchor);
	put_text(sa, "state", "installed");
	put_text(sa, "mode", "tunnel");
	put_text(sa, "type", "dynamic");
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

json_t *show_ipsec_sas(struct daemon *d, const struct cli_request *r)
{
	json_t *args = r->args;
	struct walk w = { .d = d, .args = args, .list = json_array() };

	ike_each_child(d->ike, add, &w);
	return json_pack("{s:I, s:o}", "total-active-tunnels", (json_int_t)json_array_size(w.list),
	                 "sa", w.list);
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

static void sum(struct child_totals *to, const struct child_totals *t)
{
	to->packets_in += t->packets_in;
	to->packets_out += t->packets_out;
	to->bytes_in += t->bytes_in;
	to->bytes_out += t->bytes_out;
	to->auth_failed += t->auth_failed;
	to->replayed += t->replayed;
	to->malformed += t->malformed;
}

/* A bad header belongs to no SA, so it is counted for SPUs and for the whole alone. */
static json_t *totals_object(const struct child_totals *t, uint64_t bad_headers)
{
	const struct {
		const char *key;
		uint64_t n;
	} numbers[] = {
		{ "encrypted-bytes", t->bytes_out },
		{ "decrypted-bytes", t->bytes_in },
		{ "encrypted-packets", t->packets_out },
		{ "decrypted-packets", t->packets_in },
		{ "ah-input-bytes", 0 },
		{ "ah-output-bytes", 0 },
		{ "ah-input-packets", 0 },
		{ "ah-output-packets", 0 },
		{ "ah-authentication-failures", 0 },
		{ "replay-errors", t->replayed },
		{ "esp-authentication-failures", t->auth_failed },
		{ "esp-decryption-failures", 0 },
		{ "bad-headers", bad_headers },
		{ "bad-trailers", t->malformed },
	};
	json_t *o = json_object();

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		json_object_set_new(o, numbers[i].key, json_integer((json_int_t)numbers[i].n));
	return o;
}

static uint64_t bad_headers(struct daemon *d, json_t *args)
{
	uint64_t n = 0;

	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++)
		if (d->spus.at[slot].wanted && cli_spu_matches(d, args, slot))
			n += d->shm->spu[slot].drop[DROP_BAD_HEADER];
	return n;
}

/* An SPU's own counters: what it processed, wherever the anchors are now (BH-SPU-39). */
static json_t *spu_statistics(struct daemon *d, json_t *args)
{
	struct child_totals t = { 0 };

	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++) {
		struct spu_slot *s = &d->shm->spu[slot];

		if (!d->spus.at[slot].wanted || !cli_spu_matches(d, args, slot))
			continue;
		t.packets_in += s->stat[SPU_DECRYPTED];
		t.packets_out += s->stat[SPU_ENCRYPTED];
		t.bytes_in += s->stat[SPU_BYTES_IN];
		t.bytes_out += s->stat[SPU_BYTES_OUT];
		t.auth_failed += s->drop[DROP_ICV];
		t.replayed += s->drop[DROP_REPLAY];
		t.malformed += s->drop[DROP_BAD_TRAILER] + s->drop[DROP_BAD_INNER];
	}
	return totals_object(&t, bad_headers(d, args));
}

json_t *show_ipsec_statistics(struct daemon *d, const struct cli_request *r)
{
	json_t *args = r->args;
	long long index = cli_number(args, "index", -1);
	struct child_totals t = { 0 };
	bool found = index < 0;

	if (filtered_by_spu(args))
		return spu_statistics(d, args);
	for (size_t i = 0; i < d->tunnels.n; i++) {
		if (index >= 0 && d->tunnels.at[i].index != index)
			continue;
		struct child_totals one = children_totals(d, d->tunnels.at[i].index);

		sum(&t, &one);
		found = true;
	}
	if (!found)
		return cli_error("no such tunnel", "index",
		                 "an ID of show security ipsec security-associations");
	json_t *o = totals_object(&t, index < 0 ? bad_headers(d, args) : 0);
	put_text(o, "virtual-system", "root");
	if (index >= 0)
		json_object_set_new(o, "tunnel-index", json_integer(index));
	return o;
}
