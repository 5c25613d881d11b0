// SPDX-License-Identifier: BSD-2-Clause
#include "emu_caps.h"

#include <string.h>

void emu_caps_fill(struct emu_caps *caps, const struct emu_profile *p)
{
	memset(caps, 0, sizeof(*caps));
	struct rte_cryptodev_symmetric_capability *sym = &caps->crypto[0].sym;

	caps->crypto[0].op = RTE_CRYPTO_OP_TYPE_SYMMETRIC;
	sym->xform_type = RTE_CRYPTO_SYM_XFORM_AEAD;
	sym->aead.algo = RTE_CRYPTO_AEAD_AES_GCM;
	sym->aead.block_size = 16;
	sym->aead.key_size.min = 16;
	sym->aead.key_size.max = p->aes256 ? 32 : 16;
	sym->aead.key_size.increment = p->aes256 ? 16 : 0;
	sym->aead.digest_size.min = sym->aead.digest_size.max = 16;
	sym->aead.aad_size.min = 8;
	sym->aead.aad_size.max = p->esn ? 12 : 8;
	sym->aead.aad_size.increment = p->esn ? 4 : 0;
	sym->aead.iv_size.min = sym->aead.iv_size.max = 12;
	caps->crypto[1].op = RTE_CRYPTO_OP_TYPE_UNDEFINED;

	for (int i = 0; i < 2; i++) {
		struct rte_security_capability *c = &caps->security[i];

		c->action = RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO;
		c->protocol = RTE_SECURITY_PROTOCOL_IPSEC;
		c->ipsec.proto = RTE_SECURITY_IPSEC_SA_PROTO_ESP;
		c->ipsec.mode = RTE_SECURITY_IPSEC_SA_MODE_TUNNEL;
		c->ipsec.direction = i == 0 ? RTE_SECURITY_IPSEC_SA_DIR_EGRESS
		                            : RTE_SECURITY_IPSEC_SA_DIR_INGRESS;
		c->ipsec.options.esn = p->esn;
		c->ipsec.options.udp_encap = p->udp_encap;
		c->ipsec.options.iv_gen_disable = p->iv_from_packet;
		c->ipsec.options.stats = 1;
		c->crypto_capabilities = caps->crypto;
		c->ol_flags = i == 0 ? RTE_SECURITY_TX_OLOAD_NEED_MDATA : 0;
	}
	caps->security[2].action = RTE_SECURITY_ACTION_TYPE_NONE;
}
