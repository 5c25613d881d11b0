// SPDX-License-Identifier: BSD-2-Clause
#include "caps.h"

#include <rte_cryptodev.h>
#include <rte_ethdev.h>
#include <rte_security.h>

static bool size_in(const struct rte_crypto_param_range *range, uint16_t size)
{
	if (size < range->min || size > range->max)
		return false;
	return range->increment == 0 ? size == range->min || size == range->max
	                             : (size - range->min) % range->increment == 0;
}

/* Sets in *way what this list of ciphers has. */
static void read_ciphers(const struct rte_cryptodev_capabilities *c, struct caps_way *way)
{
	static const uint16_t key_len[] = { 16, 32 };

	for (; c && c->op != RTE_CRYPTO_OP_TYPE_UNDEFINED; c++) {
		if (c->op != RTE_CRYPTO_OP_TYPE_SYMMETRIC ||
		    c->sym.xform_type != RTE_CRYPTO_SYM_XFORM_AEAD ||
		    c->sym.aead.algo != RTE_CRYPTO_AEAD_AES_GCM ||
		    !size_in(&c->sym.aead.digest_size, 16))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(key_len); i++)
			way->gcm[i] |= size_in(&c->sym.aead.key_size, key_len[i]);
	}
}

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
		read_ciphers(c->crypto_capabilities, way);
	}
	if (!caps.in.esp_tunnel && !caps.out.esp_tunnel)
		return why_set(why, ERR_UNSUPPORTED,
		               "the NIC has no inline crypto for ESP tunnels");
	*ret = caps;
	return ERR_OK;
}

static bool has_cipher(const struct caps_way *way, const struct alg_cipher *c)
{
	return c && c->v2_id == ENCR_AES_GCM_16 && (c->use & ALG_INLINE) != 0 &&
	       ((c->key_bits == 128 && way->gcm[0]) || (c->key_bits == 256 && way->gcm[1]));
}

enum err caps_can(const struct caps *caps, const struct engine_sa *sa, struct why *why)
{
	const struct caps_way *way = sa->inbound ? &caps->in : &caps->out;
	const char *to = sa->inbound ? "decrypt" : "encrypt";

	if (sa->protocol != IPPROTO_NO_ESP || !way->esp_tunnel)
		return why_set(why, ERR_UNSUPPORTED, "the NIC does not %s %s", to,
		               sa->protocol == IPPROTO_NO_AH ? "AH" : "ESP tunnels");
	if (!has_cipher(way, sa->cipher))
		return why_set(why, ERR_UNSUPPORTED, "the NIC does not %s %s", to,
		               sa->cipher ? sa->cipher->name : "without a cipher");
	if (sa->esn && !way->esn)
		return why_set(why, ERR_UNSUPPORTED, "the NIC has no extended sequence numbers");
	if (sa->udp_encap && !way->udp_encap)
		return why_set(why, ERR_UNSUPPORTED, "the NIC does not %s ESP in UDP", to);
	if (!sa->inbound && !way->iv_from_packet)
		return why_set(why, ERR_UNSUPPORTED,
		               "the NIC makes its own IVs, which a takeover could repeat");
	if (sa->key.len != (size_t)sa->cipher->key_len + sa->cipher->salt_len)
		return why_set(why, ERR_LENGTH, "%s takes a key of %u bytes with salt",
		               sa->cipher->name, sa->cipher->key_len + sa->cipher->salt_len);
	return ERR_OK;
}
