/* SPDX-License-Identifier: BSD-2-Clause */
/* Building the model from the tree, part by part, with the rules between statements.
 * Each part is built as far as it can be, also from a tree with errors, so
 * that one run finds them all; a model with errors is thrown away by config_load(). */
#ifndef MODEL_PRIV_H
#define MODEL_PRIV_H
#include "model.h"
#include "report.h"
#include "tree.h"

/* More of anything is refused: what follows compares some of them pair by pair. */
#define BUILD_ENTRIES_MAX 16384
#define BUILD_ROUTES_MAX 200000

struct build {
	struct config *c;
	const struct tree *tree;
	struct config_report *report;
};

/* In this order: later parts refer to earlier ones. */
enum err build_chassis(struct build *b) MUST_CHECK;
enum err build_interfaces(struct build *b) MUST_CHECK;
enum err build_zones(struct build *b) MUST_CHECK;
enum err build_ike(struct build *b) MUST_CHECK;
enum err build_ipsec(struct build *b) MUST_CHECK;
enum err build_tunnel_hops(struct build *b) MUST_CHECK;
enum err build_routes(struct build *b) MUST_CHECK;
/* model_protect.c: before policies, which name blocklists. */
enum err build_protection(struct build *b, const struct tree_node *ike) MUST_CHECK;
const struct config_blocklist *build_blocklist_find(const struct build *b, const char *name);
void build_warn_whole(struct build *b);

/* model_proposals.c: what a proposal names; NULL: left out. */
struct proposal_words {
	const char *name, *cipher, *hash, *ke;
	uint32_t lifetime_s;
	bool ah;
};
void proposal_of_ike(struct config_ike_proposal *p, const struct proposal_words *w);
void proposal_of_ipsec(struct config_ipsec_proposal *p, const struct proposal_words *w);
enum err build_ike_proposals(struct build *b, const struct tree_node *ike) MUST_CHECK;
enum err build_ipsec_proposals(struct build *b, const struct tree_node *ipsec) MUST_CHECK;

/* model_sets.c: the members of a proposal-set become the policy's proposals. */
enum err build_ike_set(struct build *b, struct config_ike_policy *p,
                       const struct tree_node *set) MUST_CHECK;
enum err build_ipsec_set(struct build *b, struct config_ipsec_policy *p,
                         const struct tree_node *set) MUST_CHECK;

/* model_weak.c: a warning, or under crypto-profile modern an error, where a leaf (NULL: none) names
 * a legacy algorithm, and for a set that has some. */
void build_weak(struct build *b, const struct tree_node *value);
void build_weak_set(struct build *b, const struct tree_node *set);
/* A warning where a stronger proposal follows a weaker one. */
void build_ike_order(struct build *b, const struct config_ike_policy *p, const struct tree_node *n);
void build_ipsec_order(struct build *b, const struct config_ipsec_policy *p,
                       const struct tree_node *n);
/* V-12: exactly one of proposals and proposal-set; false where neither or both is there. */
bool build_one_list(struct build *b, const struct tree_node *policy);
struct config_match build_match(const struct tree_node *policy);

/* model_manual.c: NULL where it is not whole, and then an error is said. */
enum err build_manual(struct build *b, struct config_vpn *v, const struct tree_node *n) MUST_CHECK;
void build_manual_free(struct config_manual *m);
/* model_weak.c: about a key, which is never shown; a warning, or under crypto-profile modern an
 * error. */
void build_weak_key(struct build *b, const struct tree_node *n, const char *why);

/* Report with the path of a node in front. */
void build_error(struct build *b, const struct tree_node *n, const char *fmt, ...) PRINTF(3, 4);
void build_warning(struct build *b, const struct tree_node *n, const char *fmt, ...) PRINTF(3, 4);

/* A zeroed array with a place for each active child of that word; NULL and *ret_n == 0 for none. */
enum err build_array(struct build *b, const struct tree_node *parent, const char *word, size_t size,
                     void **ret, size_t *ret_n) MUST_CHECK;

/* A leaf's value, or the default that its row in the schema has; NULL when it has none. */
const char *build_value(const struct tree_node *parent, const char *word);
uint32_t build_uint(const struct tree_node *parent, const char *word);

/* True when that value is text. */
bool build_is(const struct tree_node *parent, const char *word, const char *text);

void build_name(char *buf, size_t cap, const char *name);

#endif
