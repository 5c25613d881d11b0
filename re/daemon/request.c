// SPDX-License-Identifier: BSD-2-Clause
/* request ...: what an operator asks for at run time. */
#include "cli_server.h"

#include "daemon_priv.h"

#include "records.pb-c.h"

#include <string.h>

static const struct {
	const char *word;
	Hawser__EngineChoice choice;
} engines[] = {
	{ "automatic", HAWSER__ENGINE_CHOICE__ENGINE_AUTOMATIC },
	{ "inline", HAWSER__ENGINE_CHOICE__ENGINE_INLINE },
	{ "software", HAWSER__ENGINE_CHOICE__ENGINE_SOFTWARE },
};

/* request security ipsec offload index N engine inline|software|automatic */
json_t *request_offload(struct daemon *d, const struct cli_request *r)
{
	json_t *args = r->args;
	struct tunnel *t = tunnels_find(&d->tunnels, (uint32_t)cli_number(args, "index", 0));
	const char *engine = cli_word(args, "engine");
	struct effects fx = { 0 };

	if (t == NULL || t->conf == NULL)
		return cli_error("no such tunnel", "index",
		                 "an ID of show security ipsec security-associations");
	for (size_t i = 0; engine && i < ARRAY_LEN(engines); i++) {
		if (strcmp(engine, engines[i].word) != 0)
			continue;
		t->engine = (uint8_t)engines[i].choice;
		apply_put_tunnel(d, t, &fx);
		daemon_turn(d, &fx);
		return json_pack("{s:I, s:s}", "tunnel-index", (json_int_t)t->index,
		                 "engine-choice", engine);
	}
	return cli_error("no such engine", "engine", "inline, software or automatic");
}

/* request security ipsec rekey index N */
json_t *request_ipsec_rekey(struct daemon *d, const struct cli_request *r)
{
	uint32_t index = (uint32_t)cli_number(r->args, "index", 0);
	struct effects fx = { 0 };
	enum err e = ike_rekey_child(d->ike, index, &fx);

	daemon_turn(d, &fx);
	if (e)
		return cli_error("no such tunnel that is up", "index",
		                 "an ID of show security ipsec security-associations");
	return json_pack("{s:I}", "tunnel-index", (json_int_t)index);
}

/* request security ike rekey index N */
json_t *request_ike_rekey(struct daemon *d, const struct cli_request *r)
{
	uint32_t index = (uint32_t)cli_number(r->args, "index", 0);
	struct effects fx = { 0 };
	enum err e = ike_rekey_ike(d->ike, index, &fx);

	daemon_turn(d, &fx);
	if (e)
		return cli_error("no such IKE SA that is up", "index",
		                 "an index of show security ike security-associations");
	return json_pack("{s:I}", "index", (json_int_t)index);
}

/* request chassis anchor N fpc-slot F pic-slot P */
json_t *request_anchor(struct daemon *d, const struct cli_request *r)
{
	json_t *args = r->args;
	long long n = cli_number(args, "anchor", -1);
	struct spu_run *s = spus_find(d, (uint32_t)cli_number(args, "fpc-slot", -1),
	                              (uint32_t)cli_number(args, "pic-slot", -1));
	struct why why = { "" };

	if (n < 0 || n >= ANCHORS)
		return cli_error("no such anchor", "anchor", "0..255");
	if (s == NULL)
		return cli_error("no such SPU", "fpc-slot, pic-slot", "one of show chassis spu");
	if (spus_pin(d, (uint8_t)n, s->conf.slot, &why))
		return cli_error(why.text, "fpc-slot, pic-slot", "an SPU in service");
	return json_pack("{s:I, s:i, s:i}", "anchor", (json_int_t)n, "fpc", s->conf.fpc, "pic",
	                 s->conf.pic);
}
