// SPDX-License-Identifier: BSD-2-Clause
/* show and clear security ike security-associations (operational commands, section 2). */
#include "cli_server.h"

#include "daemon_priv.h"

#include <stdio.h>
#include <string.h>

struct walk {
	struct daemon *d;
	json_t *args;
	json_t *list;
};

static bool matches(struct walk *w, const struct ike_sa_info *i)
{
	long long index = cli_number(w->args, "index", -1);
	long long port = cli_number(w->args, "port", -1);
	const char *peer = cli_word(w->args, "peer-address");
	const char *family = cli_word(w->args, "family");
	char text[ADDR_TEXT_MAX];
	uint8_t slot = spus_serving(w->d, i->anchor);

	if (index >= 0 && i->index != index)
		return false;
	if (port >= 0 && i->remote.port != port)
		return false;
	if (peer && strcmp(peer, addr_text(&i->remote.addr, text)) != 0)
		return false;
	if (family && (strcmp(family, "inet6") == 0) != (i->remote.addr.family == ADDR_V6))
		return false;
	if (cli_number(w->args, "fpc", -1) < 0 && cli_number(w->args, "pic", -1) < 0)
		return true;
	return slot < SPU_SLOTS && cli_spu_matches(w->d, w->args, slot);
}

static json_t *cookie(const uint8_t spi[8])
{
	char text[17];

	for (int i = 0; i < 8; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", spi[i]);
	return json_string(text);
}

static void put_endpoint(json_t *to, const char *key, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_MAX];

	json_object_set_new(to, key, json_string(endpoint_text(e, text)));
}

static void put_number(json_t *to, const char *key, uint64_t n)
{
	json_object_set_new(to, key, json_integer((json_int_t)n));
}

static void put_algorithms(json_t *sa, const struct ike_sa_info *i)
{
	if (i->cipher == NULL)
		return;
	if (i->integ)
		json_object_set_new(sa, "authentication", json_string(i->integ->name));
	json_object_set_new(sa, "encryption", json_string(i->cipher->name));
	json_object_set_new(sa, "pseudo-random-function", json_string(i->prf->name));
	json_object_set_new(sa, "diffie-hellman-group", json_string(i->ke->name));
}

static void put_detail(json_t *sa, const struct ike_sa_info *i)
{
	put_algorithms(sa, i);
	put_number(sa, "input-bytes", i->bytes_in);
	put_number(sa, "output-bytes", i->bytes_out);
	put_number(sa, "input-packets", i->packets_in);
	put_number(sa, "output-packets", i->packets_out);
	json_object_set_new(sa, "flags", json_pack("[s]", "IKE SA is created"));
	put_number(sa, "ipsec-security-associations-created", i->children_created);
	put_number(sa, "ipsec-security-associations-deleted", i->children_deleted);
	put_number(sa, "retransmits", i->retransmits);
	put_number(sa, "window-size", i->window);
	put_number(sa, "peer-window-size", i->peer_window);
	put_number(sa, "rekeys-since-authentication", i->rekeys);
	json_object_set_new(sa, "nat-local", json_boolean(i->nat_local));
	json_object_set_new(sa, "nat-remote", json_boolean(i->nat_remote));
	json_object_set_new(sa, "udp-encapsulation", json_boolean(i->udp_encap));
	json_object_set_new(sa, "mobike", json_boolean(i->mobike));
	json_object_set_new(sa, "ppk", json_boolean(i->ppk));
}

/* RFC 7383; the counters where there is something to count. */
static void put_fragmentation(json_t *sa, const struct ike_sa_info *i)
{
	json_object_set_new(sa, "fragmentation", json_boolean(i->fragmentation));
	if (!i->fragmentation)
		return;
	if (i->fragment_size)
		put_number(sa, "fragment-size-bytes", i->fragment_size);
	put_number(sa, "input-fragments", i->fragments_in);
	put_number(sa, "output-fragments", i->fragments_out);
	put_number(sa, "reassembled-messages", i->reassembled);
}

static json_t *sa_object(struct walk *w, const struct ike_sa_info *i)
{
	char remote[ADDR_TEXT_MAX];
	json_t *sa =
	        json_pack("{s:I, s:s, s:o, s:o, s:s, s:s, s:s, s:s}", "index", (json_int_t)i->index,
	                  "state", i->up ? "UP" : "DOWN", "initiator-cookie", cookie(i->spi_i),
	                  "responder-cookie", cookie(i->spi_r), "mode", "IKEv2", "remote-address",
	                  addr_text(&i->remote.addr, remote), "role",
	                  i->initiator ? "Initiator" : "Responder", "exchange-type", "IKEv2");

	json_object_set_new(sa, "exchange-state", json_string(i->state));
	if (i->gateway[0])
		json_object_set_new(sa, "gateway", json_string(i->gateway));
	put_endpoint(sa, "local", &i->local);
	put_endpoint(sa, "remote", &i->remote);
	json_object_set_new(sa, "authentication-method", json_string(i->auth_method));
	if (i->lifetime_s)
		json_object_set_new(sa, "expires-in-s", json_integer(i->expires_in_s));
	if (i->local_id[0])
		json_object_set_new(sa, "local-ike-id", json_string(i->local_id));
	if (i->peer_id[0])
		json_object_set_new(sa, "peer-ike-id", json_string(i->peer_id));
	cli_put_location(w->d, sa, i->anchor);
	put_detail(sa, i);
	put_fragmentation(sa, i);
	return sa;
}

static bool add(void *ctx, const struct ike_sa_info *i)
{
	struct walk *w = ctx;

	if (matches(w, i))
		json_array_append_new(w->list, sa_object(w, i));
	return true;
}

json_t *show_ike_sas(struct daemon *d, const struct cli_request *r)
{
	json_t *args = r->args;
	struct walk w = { .d = d, .args = args, .list = json_array() };

	ike_each_sa(d->ike, add, &w);
	return json_pack("{s:o}", "sa", w.list);
}

static bool collect(void *ctx, const struct ike_sa_info *i)
{
	struct walk *w = ctx;

	if (matches(w, i))
		json_array_append_new(w->list, json_integer(i->index));
	return true;
}

json_t *clear_ike_sas(struct daemon *d, const struct cli_request *r)
{
	json_t *args = r->args;
	struct walk w = { .d = d, .args = args, .list = json_array() };
	struct effects fx = { 0 };
	json_t *index;
	size_t n;

	ike_each_sa(d->ike, collect, &w);
	json_array_foreach(w.list, n, index)(void) !ike_clear_ike(
	        d->ike, (uint32_t)json_integer_value(index), &fx);
	json_t *reply = json_pack("{s:I}", "cleared", (json_int_t)json_array_size(w.list));
	json_decref(w.list);
	daemon_turn(d, &fx);
	return reply;
}
