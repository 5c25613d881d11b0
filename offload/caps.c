// SPDX-License-Identifier: BSD-2-Clause
#include "caps.h"
#include "nic_xform.h"

#include <rte_ethdev.h>
#include <rte_security.h>

enum err caps_read(uint16_t port_id, struct caps *ret, struct why *why)
{
	struct rte_security_ctx *ctx =
	        rte_eth_dev_is_valid_port(port_id) ? rte_eth_dev_get_sec_ctx(port_id) : NULL;
	const struct rte_security_capability *c = ctx ? rte_security_capabilities_get(ctx) : NULL;
	struct caps caps = { 0 };

	for (; c && c->action != RTE_SECURITY_ACTION_TYPE_NONE; c++) {
		if (c->action != RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO ||
		    c->protocol != RTE_SECURITY_PROTOCOL_IPSEC ||
		    c->ipsec.proto != RTE_SECURITY_IPSEC_SA_PROTO_ESP ||
		    c->ipsec.mode != RTE_SECURITY_IPSEC_SA_MODE_TUNNEL)
			continue;
		struct caps_way *way = c->ipsec.direction == RTE_SECURITY_IPSEC_SA_DIR_INGRESS
		                               ? &caps.in
		                               : &caps.out;
		way->esp_tunnel = true;
		way->esn |= c->ipsec.options.esn;
		way->udp_encap |= c->ipsec.options.udp_encap;
		way->iv_from_packet |= c->ipsec.options.iv_gen_disable;
		way->stats |= c->ipsec.options.stats;
		way->ciphers |= nic_xform_ciphers(c->crypto_capabilities);
		way->integs |= nic_xform_integs(c->crypto_capabilities);
	}
	if (!caps.in.esp_tunnel && !caps.out.esp_tunnel)
		return why_set(why, ERR_UNSUPPORTED,
		               "the NIC has no inline crypto for ESP tunnels");
	*ret = caps;
	return ERR_OK;
}

/* Why it is software's alone, whatever the NIC; NULL when it is not. */
static const char *never(const struct engine_sa *sa)
{
	if (sa->protocol == IPPROTO_NO_AH)
		return "AH is done in software only";
	if (sa->protocol != IPPROTO_NO_ESP || sa->cipher == NULL)
		return "no such packets in a NIC";
	if (sa->cipher->salt_len != 0 && sa->cipher->iv_len == 0)
		return "a NIC takes the IV from the packet, where an implicit one is not";
	if (sa->cipher->icv_len == 0 && sa->integ == NULL)
		return "encryption without authentication is done in software only";
	if (sa->cipher->icv_len != 0 && sa->integ)
		return "the cipher authenticates by itself";
	return NULL;
}

/* ERR_UNSUPPORTED and the name of the algorithm that the port does not offer. */
static enum err has_algorithms(const struct caps_way *way, const struct engine_sa *sa,
                               struct why *why)
{
	const char *to = sa->inbound ? "decrypt" : "encrypt";

	if ((way->ciphers >> (sa->cipher - alg_ciphers) & 1) == 0)
		return why_set(why, ERR_UNSUPPORTED, "the NIC does not %s %s", to,
		               sa->cipher->name);
	if (sa->integ && (way->integs >> (sa->integ - alg_integs) & 1) == 0)
		return why_set(why, ERR_UNSUPPORTED, "the NIC does not %s with %s", to,
		               sa->integ->name);
	return ERR_OK;
}

static enum err key_lengths(const struct engine_sa *sa, struct why *why)
{
	size_t key = (size_t)sa->cipher->key_len + sa->cipher->salt_len;
	size_t auth = sa->integ ? sa->integ->key_len : 0;

	if (sa->key.len != key)
		return why_set(why, ERR_LENGTH, "%s takes a key of %zu bytes with salt",
		               sa->cipher->name, key);
	if (sa->auth_key.len != auth)
		return why_set(why, ERR_LENGTH, "%s takes a key of %zu bytes",
		               sa->integ ? sa->integ->name : "no integrity algorithm", auth);
	return ERR_OK;
}

enum err caps_can(const struct caps *caps, const struct engine_sa *sa, struct why *why)
{
	const struct caps_way *way = sa->inbound ? &caps->in : &caps->out;
	const char *to = sa->inbound ? "decrypt" : "encrypt";

	if (never(sa))
		return why_set(why, ERR_UNSUPPORTED, "%s", never(sa));
	if (!way->esp_tunnel)
		return why_set(why, ERR_UNSUPPORTED, "the NIC does not %s ESP tunnels", to);
	TRY(has_algorithms(way, sa, why));
	if (sa->esn && !way->esn)
		return why_set(why, ERR_UNSUPPORTED, "the NIC has no extended sequence numbers");
	if (sa->udp_encap && !way->udp_encap)
		return why_set(why, ERR_UNSUPPORTED, "the NIC does not %s ESP in UDP", to);
	if (!sa->inbound && !way->iv_from_packet)
		return why_set(why, ERR_UNSUPPORTED,
		               "the NIC makes its own IVs, which a takeover could repeat");
	return key_lengths(sa, why);
}
