// SPDX-License-Identifier: BSD-2-Clause
/* security ipsec vpn V manual: keys by hand. */
#include "model_priv.h"

#include "algorithms.h"
#include "secret.h"
#include "value.h"
#include "weak_key.h"

#include <stdlib.h>
#include <string.h>

void build_manual_free(struct config_manual *m)
{
	if (m == NULL)
		return;
	secret_free(m->cipher_key);
	secret_free(m->auth_key);
	free(m);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static const struct tree_node *key_node(const struct tree_node *algorithm)
{
	const struct tree_node *key = tree_child(algorithm, "key");

	return key ? tree_active(key->first) : NULL;
}

static struct secret *build_key(struct build *b, const struct tree_node *n, const char *algorithm,
                                size_t want)
{
	const struct tree_node *v = key_node(n);
	struct secret *key = NULL;
	uint8_t buf[VALUE_KEY_MAX];
	size_t len = 0;

	if (v == NULL || v->name == NULL ||
	    value_key(v->schema->value.type, v->name, buf, &len, NULL))
		return NULL; /* said elsewhere */
	if (len != want)
		build_error(b, v,
		            "a key of %zu bytes; %s takes %zu: expected %zu characters of "
		            "ascii-text or %zu hexadecimal digits",
		            len, algorithm, want, want, 2 * want);
	else
		key = secret_copy((struct view){ buf, len });
	explicit_bzero(buf, sizeof(buf));
	return key;
}

/* An SA is built all the same where crypto-profile lets it (weak_key.h). */
static void check_weak(struct build *b, const struct tree_node *n, const struct alg_cipher *c,
                       const struct secret *key)
{
	const char *reason = weak_key_reason(c, secret_view(key));

	if (reason)
		build_weak_key(b, n, reason);
}

/* ---- the SA ---------------------------------------------------------------------------------- */

static void build_algorithms(struct build *b, struct config_manual *m, const struct tree_node *n)
{
	const struct tree_node *auth = tree_child(n, "authentication");
	const struct tree_node *enc = tree_child(n, "encryption");
	const char *integ = tree_value(auth, "algorithm"), *cipher = tree_value(enc, "algorithm");

	build_weak(b, tree_child(auth, "algorithm"));
	build_weak(b, tree_child(enc, "algorithm"));
	m->integ = integ ? alg_integ_by_name(integ) : NULL;
	if (m->integ)
		m->auth_key = build_key(b, auth, m->integ->name, m->integ->key_len);
	if (enc && m->protocol == PROTO_AH) {
		build_error(b, enc, "AH does not encrypt; set protocol esp, or leave it out");
		return;
	}
	if (m->protocol == PROTO_AH)
		return;
	m->cipher = enc == NULL ? alg_cipher_by_id(ENCR_NULL, 0)
	            : cipher    ? alg_cipher_by_name(cipher)
	                        : NULL;
	if (enc == NULL)
		build_warning(b, n, "there is no encryption: ESP carries its packets in clear");
	else if (m->cipher)
		m->cipher_key = build_key(b, enc, m->cipher->name, m->cipher->key_len);
	if (m->cipher_key)
		check_weak(b, tree_child(enc, "key"), m->cipher, m->cipher_key);
}

static void build_ends(struct build *b, struct config_manual *m, const struct tree_node *n)
{
	const struct tree_node *gateway = tree_child(n, "gateway");
	const struct tree_node *external = tree_child(n, "external-interface");
	const struct config_unit *u = external ? config_unit_find(b->c, external->name) : NULL;

	if (gateway == NULL || external == NULL)
		return;
	(void)!addr_parse(gateway->name, &m->remote);
	if (u == NULL) {
		build_error(b, external, "there is no such unit under interfaces");
		return;
	}
	for (size_t i = 0; i < u->addresses && m->local.family == ADDR_NONE; i++)
		if (u->address[i].addr.family == m->remote.family)
			m->local = u->address[i].addr;
	if (m->local.family == ADDR_NONE)
		build_warning(
		        b, external,
		        "\"%s\" has no IPv%u address, which gateway %s needs: the VPN will carry "
		        "nothing",
		        external->name, m->remote.family, gateway->name);
}

/* An SPI names one SA of an address. */
static void check_unique(struct build *b, const struct config_vpn *v, const struct tree_node *n)
{
	for (const struct config_vpn *o = b->c->vpn; o < v; o++)
		if (o->manual && o->manual->spi == v->manual->spi &&
		    o->manual->protocol == v->manual->protocol &&
		    addr_equal(&o->manual->local, &v->manual->local))
			build_error(b, tree_child(n, "spi"),
			            "is also that of vpn \"%s\", with the same protocol and local "
			            "address",
			            o->name);
}

/* What nobody should do without knowing. */
static void say_what_it_is(struct build *b, const struct tree_node *n)
{
	static const char *const facts[] = {
		"SPI and keys are fixed: who learns them can read past and future traffic",
		"the SA is up as soon as both ends are configured",
		"the SA never expires",
		"the peer is not authenticated",
		"replayed packets are not detected",
	};

	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		build_warning(b, n, "%s", facts[i]);
}

static void say_ignored(struct build *b, const struct tree_node *vpn)
{
	if (tree_child(vpn, "establish-tunnels"))
		build_warning(b, tree_child(vpn, "establish-tunnels"),
		              "has no effect with manual keys");
	if (tree_child(vpn, "traffic-selector"))
		build_error(
		        b, vpn,
		        "traffic-selector needs ike; with manual keys the tunnel carries what is "
		        "routed to its st0 unit");
}

enum err build_manual(struct build *b, struct config_vpn *v, const struct tree_node *vpn)
{
	const struct tree_node *n = tree_child(vpn, "manual");
	struct config_manual *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return ERR_MEMORY;
	v->manual = m;
	m->protocol = build_is(n, "protocol", "ah") ? PROTO_AH : PROTO_ESP;
	m->spi = build_uint(n, "spi");
	build_ends(b, m, n);
	build_algorithms(b, m, n);
	check_unique(b, v, n);
	say_what_it_is(b, n);
	say_ignored(b, vpn);
	return ERR_OK;
}
