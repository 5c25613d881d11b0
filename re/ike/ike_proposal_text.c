// SPDX-License-Identifier: BSD-2-Clause
/* Lists of proposals in words: what an operator needs to see why nothing fits. */
#include "ike_proposal_priv.h"

#include <stdarg.h>
#include <stdio.h>

struct text {
	char *at;
	size_t left;
};

static void PRINTF(2, 3) say(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(t->at, t->left, fmt, ap);
	va_end(ap);
	size_t used = n < 0 ? 0 : (size_t)n < t->left ? (size_t)n : t->left - 1;
	t->at += used;
	t->left -= used;
}

static const char *name_of(const struct sa_transform *t)
{
	const struct alg_cipher *c;
	const struct alg_integ *a;
	const struct alg_prf *p;
	const struct alg_ke *k;

	switch (t->type) {
	case TRANSFORM_ENCR:
		return (c = alg_cipher_by_id(t->id, t->key_bits)) ? c->name : NULL;
	case TRANSFORM_INTEG:
		return (a = alg_integ_by_id(t->id)) ? a->name : NULL;
	case TRANSFORM_PRF:
		return (p = alg_prf_by_id(t->id)) ? p->name : NULL;
	case TRANSFORM_KE:
		return (k = alg_ke_by_id(t->id)) ? k->name : NULL;
	default:
		return NULL;
	}
}

static void say_transform(struct text *t, const struct sa_transform *tr, bool again)
{
	static const char *const types[] = { "type0", "encr", "prf", "integ", "group" };
	const char *name = name_of(tr);
	char sep = again ? '|' : ' ';

	if (tr->type == TRANSFORM_ESN)
		say(t, "%c%s", sep, tr->id == 1 ? "esn" : "no-esn");
	else if (name && !tr->strange)
		say(t, "%c%s", sep, name);
	else if (tr->id == 0)
		say(t, "%cnone", sep);
	else if (tr->type < ARRAY_LEN(types))
		say(t, "%c%s-%u", sep, types[tr->type], tr->id);
	else
		say(t, "%ctype%u-%u", sep, tr->type, tr->id);
}

static const char *protocol_text(uint8_t protocol)
{
	return protocol == PROTO_AH ? " ah" : protocol == PROTO_ESP ? " esp" : "";
}

static void say_theirs(struct text *t, struct view sa)
{
	struct reader r = rd_of_view(sa);
	struct sa_proposal p;

	say(t, "offered");
	while (sa_next_proposal(&r, &p)) {
		struct sa_transform tr;
		uint8_t last = 0;

		say(t, " %u:%s", p.number, protocol_text(p.protocol));
		while (sa_next_transform(&p.body, &tr)) {
			say_transform(t, &tr, tr.type == last);
			last = tr.type;
		}
	}
}

static void say_ours(struct text *t, size_t number, uint8_t protocol, const struct proposal_list *l)
{
	say(t, " %zu:%s", number, protocol_text(protocol));
	for (uint8_t i = 0; i < l->n; i++)
		say_transform(t, &l->t[i], i && l->t[i - 1].type == l->t[i].type);
}

static void say_count(struct text *t, struct view sa, size_t ours, struct ike_conf_rules rules)
{
	size_t theirs = proposal_number(sa);

	if (rules.strict_count && theirs != ours)
		say(t, "number of proposals: %zu offered, %zu ours; ", theirs, ours);
}

/* What was offered may be as long as a message: ours is said first, so that both are to be seen. */
char *ike_proposal_text(struct view sa, const struct ike_conf_gateway *ours, char *buf)
{
	struct text t = { buf, PROPOSAL_TEXT_MAX };

	say_count(&t, sa, ours->proposals, ours->rules);
	say(&t, "ours");
	for (size_t i = 0; i < ours->proposals; i++) {
		struct proposal_list l;

		ike_proposal_list(&ours->proposal[i], &l);
		say_ours(&t, i + 1, PROTO_IKE, &l);
	}
	say(&t, "; ");
	say_theirs(&t, sa);
	return buf;
}

char *child_proposal_text(struct view sa, const struct ike_conf_tunnel *ours,
                          const struct alg_ke *pfs, char *buf)
{
	struct text t = { buf, PROPOSAL_TEXT_MAX };

	say_count(&t, sa, ours->proposals, ours->rules);
	say(&t, "ours");
	for (size_t i = 0; i < ours->proposals; i++) {
		struct proposal_list l;

		child_proposal_list(&ours->proposal[i], pfs, &l);
		say_ours(&t, i + 1, ours->proposal[i].protocol, &l);
	}
	say(&t, "; ");
	say_theirs(&t, sa);
	return buf;
}
