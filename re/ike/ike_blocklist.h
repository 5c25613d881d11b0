/* SPDX-License-Identifier: BSD-2-Clause */
/* Identities that may not connect (BL-01 to 08): ordered rules, the first that fits decides.
 *
 * Looked at while a peer authenticates, never for an SA that is up. */
#ifndef IKE_BLOCKLIST_H
#define IKE_BLOCKLIST_H
#include "ike_conf.h"

struct ike_blocklist;

struct ike_block_hit {
	const char *list, *rule; /* live as long as the list */
	bool reject;
	uint32_t backoff_s;
};

/* A copy with its patterns compiled. */
enum err ike_blocklist_new(const struct ike_conf_blocklist *conf, struct ike_blocklist **ret,
                           struct why *why) MUST_CHECK;
void ike_blocklist_free(struct ike_blocklist *b); /* takes NULL */
const char *ike_blocklist_name(const struct ike_blocklist *b);
/* Does a rule for peers of this role fit? */
bool ike_blocklist_has(const struct ike_blocklist *b, bool peer_responds, const struct ike_id *id,
                       struct ike_block_hit *ret);

#endif
