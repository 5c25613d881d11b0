// SPDX-License-Identifier: BSD-2-Clause
/* proposal-set: named lists of proposals, which stand for their members as if these were written
 * out. The order is the reference product's: standard has AES first for IKE and 3DES for IPsec. */
#include "model_priv.h"

#include "algorithms.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct {
	const char *set, *name, *cipher, *hash, *ke;
} ike_members[] = {
	{ "basic",      "pre-g1-des-sha",    "des-cbc",     "sha1", "group1" },
	{ "basic",      "pre-g1-des-md5",    "des-cbc",     "md5",  "group1" },
	{ "compatible", "pre-g2-3des-sha",   "3des-cbc",    "sha1", "group2" },
	{ "compatible", "pre-g2-3des-md5",   "3des-cbc",    "md5",  "group2" },
	{ "compatible", "pre-g2-des-sha",    "des-cbc",     "sha1", "group2" },
	{ "compatible", "pre-g2-des-md5",    "des-cbc",     "md5",  "group2" },
	{ "standard",   "pre-g2-aes128-sha", "aes-128-cbc", "sha1", "group2" },
	{ "standard",   "pre-g2-3des-sha",   "3des-cbc",    "sha1", "group2" },
};

static const struct {
	const char *set, *name, *cipher, *hash, *pfs;
} ipsec_members[] = {
	{ "basic",          "nopfs-esp-des-sha",  "des-cbc",     "hmac-sha1-96", NULL },
	{ "basic",          "nopfs-esp-des-md5",  "des-cbc",     "hmac-md5-96",  NULL },
	{ "compatible",     "nopfs-esp-3des-sha", "3des-cbc",    "hmac-sha1-96", NULL },
	{ "compatible",     "nopfs-esp-3des-md5", "3des-cbc",    "hmac-md5-96",  NULL },
	{ "compatible",     "nopfs-esp-des-sha",  "des-cbc",     "hmac-sha1-96", NULL },
	{ "compatible",     "nopfs-esp-des-md5",  "des-cbc",     "hmac-md5-96",  NULL },
	{ "standard",       "g2-esp-3des-sha",    "3des-cbc",    "hmac-sha1-96", "group2" },
	{ "standard",       "g2-esp-aes128-sha",  "aes-128-cbc", "hmac-sha1-96", "group2" },
	{ "suiteb-gcm-128", "g19-esp-aes128-gcm", "aes-128-gcm", NULL,           "group19" },
	{ "suiteb-gcm-256", "g20-esp-aes256-gcm", "aes-256-gcm", NULL,           "group20" },
	{ "prime-128",      "g19-esp-aes128-gcm", "aes-128-gcm", NULL,           "group19" },
	{ "prime-256",      "g20-esp-aes256-gcm", "aes-256-gcm", NULL,           "group20" },
};
/* clang-format on */

static const char *default_of(const char *path, const char *word)
{
	return schema_find(schema_at(path)->children, word)->def;
}

static uint32_t default_lifetime(const char *path)
{
	return (uint32_t)strtoul(default_of(path, "lifetime-seconds"), NULL, 10);
}

enum err build_ike_set(struct build *b, struct config_ike_policy *p, const struct tree_node *set)
{
	p->set = calloc(CONFIG_PROPOSALS_MAX, sizeof(*p->set));
	if (p->set == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < ARRAY_LEN(ike_members); i++) {
		struct proposal_words w = { .name = ike_members[i].name,
			                    .cipher = ike_members[i].cipher,
			                    .hash = ike_members[i].hash,
			                    .ke = ike_members[i].ke,
			                    .lifetime_s =
			                            default_lifetime("security ike proposal") };

		if (strcmp(ike_members[i].set, set->name))
			continue;
		proposal_of_ike(&p->set[p->proposals], &w);
		p->proposal[p->proposals] = &p->set[p->proposals];
		p->proposals++;
	}
	if (p->proposals == 0)
		build_error(
		        b, set,
		        "\"%s\" authenticates by ECDSA certificates, which are not supported in "
		        "this version; expected basic, compatible or standard, or proposals",
		        set->name);
	else
		build_weak_set(b, set);
	return ERR_OK;
}

enum err build_ipsec_set(struct build *b, struct config_ipsec_policy *p,
                         const struct tree_node *set)
{
	bool weak = false;

	p->set = calloc(CONFIG_PROPOSALS_MAX, sizeof(*p->set));
	if (p->set == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < ARRAY_LEN(ipsec_members); i++) {
		struct proposal_words w = { .name = ipsec_members[i].name,
			                    .cipher = ipsec_members[i].cipher,
			                    .hash = ipsec_members[i].hash,
			                    .lifetime_s =
			                            default_lifetime("security ipsec proposal") };

		if (strcmp(ipsec_members[i].set, set->name))
			continue;
		proposal_of_ipsec(&p->set[p->proposals], &w);
		p->proposal[p->proposals] = &p->set[p->proposals];
		p->proposals++;
		p->pfs = ipsec_members[i].pfs ? alg_ke_by_name(ipsec_members[i].pfs) : NULL;
		weak |= ipsec_members[i].hash != NULL;
	}
	if (weak)
		build_weak_set(b, set);
	return ERR_OK;
}
