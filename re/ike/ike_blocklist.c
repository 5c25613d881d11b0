// SPDX-License-Identifier: BSD-2-Clause
#include "ike_blocklist.h"
#include "ere.h"

#include <stdlib.h>

struct rule {
	struct ike_conf_rule conf; /* conf.pattern is not kept */
	struct ere *pattern;       /* owns */
};

struct ike_blocklist {
	char name[IKE_LIST_NAME_MAX];
	size_t rules;
	struct rule rule[];
};

/* Names of hosts and mailboxes are what they are in either case, as ike_id_equal() has it. */
static bool folds(uint8_t id_type)
{
	return id_type == IKE_ID_FQDN || id_type == IKE_ID_RFC822;
}

enum err ike_blocklist_new(const struct ike_conf_blocklist *conf, struct ike_blocklist **ret,
                           struct why *why)
{
	struct ike_blocklist *b = calloc(1, sizeof(*b) + conf->rules * sizeof(b->rule[0]));

	if (b == NULL)
		return ERR_MEMORY;
	memcpy(b->name, conf->name, sizeof(b->name));
	for (; b->rules < conf->rules; b->rules++) {
		struct rule *r = &b->rule[b->rules];

		r->conf = conf->rule[b->rules];
		enum err e = ere_new(r->conf.pattern, folds(r->conf.id_type), &r->pattern, why);
		if (e != ERR_OK) {
			ike_blocklist_free(b);
			return e;
		}
		r->conf.pattern = NULL;
	}
	*ret = b;
	return ERR_OK;
}

void ike_blocklist_free(struct ike_blocklist *b)
{
	for (size_t i = 0; b && i < b->rules; i++)
		ere_free(b->rule[i].pattern);
	free(b);
}

const char *ike_blocklist_name(const struct ike_blocklist *b)
{
	return b->name;
}

/* An identity as patterns see it: addresses as text, the rest as it is in the payload. */
static struct view text_of(const struct ike_id *id, char buf[ADDR_TEXT_MAX])
{
	struct addr a;

	if ((id->type == IKE_ID_IPV4 || id->type == IKE_ID_IPV6) &&
	    addr_from_bytes(id->b, id->len, &a) == ERR_OK) {
		(void)addr_text(&a, buf);
		return (struct view){ (const uint8_t *)buf, strlen(buf) };
	}
	return (struct view){ id->b, id->len };
}

bool ike_blocklist_has(const struct ike_blocklist *b, bool peer_responds, const struct ike_id *id,
                       struct ike_block_hit *ret)
{
	char buf[ADDR_TEXT_MAX];
	struct view text = text_of(id, buf);

	for (size_t i = 0; i < b->rules; i++) {
		const struct rule *r = &b->rule[i];

		if (r->conf.id_type != id->type || r->conf.peer_responds != peer_responds ||
		    !ere_match(r->pattern, text))
			continue;
		*ret = (struct ike_block_hit){ b->name, r->conf.name, r->conf.reject,
			                       r->conf.backoff_s };
		return true;
	}
	return false;
}
