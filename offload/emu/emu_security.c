// SPDX-License-Identifier: BSD-2-Clause
#include "emu_security.h"
#include "emu_caps.h"
#include "emu_esp.h"
#include "emu_sa.h"

#include <ethdev_driver.h>
#include <rte_errno.h>
#include <rte_security_driver.h>
#include <stdlib.h>
#include <string.h>

struct emu_security {
	struct rte_security_ctx ctx; /* what the application sees */
	const struct emu_profile *profile;
	struct emu_sa_table *table; /* owns */
	struct emu_caps caps;
	struct emu_faults faults;
	struct emu_security_counters count;
};

/* What we keep in rte_security's session object. */
struct emu_session {
	uint64_t id; /* of the SA; names nothing any more after a reset */
};

static struct emu_security *security_of(void *device)
{
	struct emu_dev *dev = ((struct rte_eth_dev *)device)->data->dev_private;

	return dev->security;
}

static struct emu_session *session_of(struct rte_security_session *s)
{
	return SECURITY_GET_SESS_PRIV(s);
}

/* ---------------------------------------------------------------- sessions */

/* rte_security_session_create() hands up only NULL: the reason is left in rte_errno. */
static int refuse(int e)
{
	rte_errno = e;
	return -e;
}

static bool offload_on(void *device, bool inbound)
{
	const struct rte_eth_conf *conf = &((struct rte_eth_dev *)device)->data->dev_conf;

	return inbound ? (conf->rxmode.offloads & RTE_ETH_RX_OFFLOAD_SECURITY) != 0
	               : (conf->txmode.offloads & RTE_ETH_TX_OFFLOAD_SECURITY) != 0;
}

/* Inside the profile's limits: the same that the capabilities announce. */
static bool can(const struct emu_profile *p, const struct rte_security_session_conf *conf,
                struct emu_suite *ret_suite)
{
	const struct rte_security_ipsec_xform *ipsec = &conf->ipsec;
	bool inbound = ipsec->direction == RTE_SECURITY_IPSEC_SA_DIR_INGRESS;

	if (conf->action_type != RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO ||
	    conf->protocol != RTE_SECURITY_PROTOCOL_IPSEC ||
	    ipsec->proto != RTE_SECURITY_IPSEC_SA_PROTO_ESP ||
	    ipsec->mode != RTE_SECURITY_IPSEC_SA_MODE_TUNNEL)
		return false;
	return (p->esn || !ipsec->options.esn) && (p->udp_encap || !ipsec->options.udp_encap) &&
	       (inbound || !p->iv_from_packet || ipsec->options.iv_gen_disable) &&
	       emu_caps_suite(p, conf, ret_suite);
}

static void fill_dst(struct addr *dst, const struct rte_security_ipsec_tunnel_param *t)
{
	if (t->type == RTE_SECURITY_IPSEC_TUNNEL_IPV4) {
		dst->family = ADDR_V4;
		memcpy(dst->b, &t->ipv4.dst_ip, 4);
	} else {
		dst->family = ADDR_V6;
		memcpy(dst->b, &t->ipv6.dst_addr, 16);
	}
}

static int session_create(void *device, struct rte_security_session_conf *conf,
                          struct rte_security_session *session)
{
	struct emu_security *s = security_of(device);
	bool inbound = conf->ipsec.direction == RTE_SECURITY_IPSEC_SA_DIR_INGRESS;
	struct emu_suite suite;

	if (!can(s->profile, conf, &suite) || !offload_on(device, inbound))
		return refuse(ENOTSUP);
	if (emu_faults_take(&s->faults, EMU_FAULT_REFUSE))
		return refuse(ENOSPC);
	struct emu_sa sa = { .spi = conf->ipsec.spi,
		             .inbound = inbound,
		             .esn = conf->ipsec.options.esn,
		             .udp = conf->ipsec.options.udp_encap,
		             .seq = conf->ipsec.options.esn ? conf->ipsec.esn.value : 0 };

	fill_dst(&sa.dst, &conf->ipsec.tunnel);
	if (emu_cipher_new(!inbound, &suite, &sa.cipher) != ERR_OK)
		return refuse(ENOMEM);
	uint64_t id = 0;
	enum err e = emu_sa_add(s->table, &sa, &id);
	if (e != ERR_OK) {
		emu_cipher_free(sa.cipher);
		return refuse(e == ERR_DUPLICATE ? EEXIST : ENOSPC);
	}
	session_of(session)->id = id;
	session->fast_mdata = id;
	return 0;
}

/* Only the sequence number that the high half is inferred from can change. */
static int session_update(void *device, struct rte_security_session *session,
                          struct rte_security_session_conf *conf)
{
	struct emu_sa *sa = emu_sa_by_id(security_of(device)->table, session_of(session)->id);

	if (sa == NULL)
		return -ENOENT;
	if (!sa->esn || !conf->ipsec.options.esn || conf->ipsec.spi != sa->spi)
		return -ENOTSUP;
	sa->seq = conf->ipsec.esn.value;
	return 0;
}

static int session_destroy(void *device, struct rte_security_session *session)
{
	emu_sa_del(security_of(device)->table, session_of(session)->id);
	return 0;
}

static unsigned int session_get_size(void *device)
{
	(void)device;
	return sizeof(struct emu_session);
}

static int session_stats_get(void *device, struct rte_security_session *session,
                             struct rte_security_stats *stats)
{
	const struct emu_sa *sa = emu_sa_by_id(security_of(device)->table, session_of(session)->id);

	if (sa == NULL)
		return -ENOENT;
	memset(stats, 0, sizeof(*stats));
	stats->protocol = RTE_SECURITY_PROTOCOL_IPSEC;
	if (sa->inbound) {
		stats->ipsec.ipackets = sa->packets;
		stats->ipsec.ibytes = sa->bytes;
		stats->ipsec.ierrors = sa->errors;
	} else {
		stats->ipsec.opackets = sa->packets;
		stats->ipsec.obytes = sa->bytes;
		stats->ipsec.oerrors = sa->errors;
	}
	return 0;
}

static int set_pkt_metadata(void *device, struct rte_security_session *session, struct rte_mbuf *m,
                            void *params)
{
	(void)device;
	(void)params;
	*rte_security_dynfield(m) = session_of(session)->id;
	return 0;
}

static const struct rte_security_capability *capabilities_get(void *device)
{
	return security_of(device)->caps.security;
}

static const struct rte_security_ops ops = {
	.session_create = session_create,
	.session_update = session_update,
	.session_get_size = session_get_size,
	.session_stats_get = session_stats_get,
	.session_destroy = session_destroy,
	.set_pkt_metadata = set_pkt_metadata,
	.capabilities_get = capabilities_get,
};

/* ---------------------------------------------------------------- packets */

/* RFC 4303 2.2.1, as a part without a replay window does it: the 64-bit number nearest to the
 * highest one that it has seen (inbound: with a good ICV). */
static uint64_t infer_seq(uint64_t seen, uint32_t low)
{
	const uint64_t turn = 1ull << 32;
	uint64_t seq = (seen & ~(turn - 1)) | low;

	if (seq + turn / 2 < seen)
		return seq + turn;
	if (seq > seen + turn / 2 && seq >= turn)
		return seq - turn;
	return seq;
}

static bool work(struct emu_sa *sa, struct rte_mbuf *m, const struct emu_esp *esp)
{
	struct emu_text text = {
		.esp = rte_pktmbuf_mtod_offset(m, uint8_t *, esp->offset),
		.len = esp->len,
		.seq = sa->esn ? infer_seq(sa->seq, esp->seq) : esp->seq,
		.esn = sa->esn,
	};
	uint32_t len = emu_cipher_text_len(sa->cipher, esp->len);
	bool done = len != 0 && (sa->inbound ? emu_cipher_open(sa->cipher, &text)
	                                     : emu_cipher_seal(sa->cipher, &text));

	if (!done) {
		sa->errors++;
		return false;
	}
	if (text.seq > sa->seq)
		sa->seq = text.seq;
	sa->packets++;
	sa->bytes += len;
	return true;
}

static bool works_on(const struct emu_security *s, const struct emu_sa *sa,
                     const struct emu_esp *esp)
{
	return sa->spi == esp->spi && sa->udp == esp->udp && !esp->fragment &&
	       (s->profile->ip_options || !esp->options);
}

static struct view frame_of(struct rte_mbuf *m)
{
	return (struct view){ rte_pktmbuf_mtod(m, uint8_t *), m->data_len };
}

static void rx_one(struct emu_security *s, struct rte_mbuf *m)
{
	struct emu_esp esp;

	if (!emu_esp_find(frame_of(m), false, &esp))
		return;
	struct emu_sa *sa = emu_sa_find(s->table, esp.spi, &esp.dst);

	if (sa == NULL || !works_on(s, sa, &esp) || emu_faults_take(&s->faults, EMU_FAULT_PASS)) {
		s->count.rx_missed++;
		return;
	}
	m->ol_flags |= RTE_MBUF_F_RX_SEC_OFFLOAD;
	if (work(sa, m, &esp)) {
		s->count.rx_ok++;
	} else {
		m->ol_flags |= RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED;
		s->count.rx_failed++;
	}
}

void emu_security_rx(struct emu_security *s, struct rte_mbuf **mbufs, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		rx_one(s, mbufs[i]);
}

bool emu_security_tx(struct emu_security *s, struct rte_mbuf *m)
{
	struct emu_esp esp;

	if ((m->ol_flags & RTE_MBUF_F_TX_SEC_OFFLOAD) == 0)
		return true;
	struct emu_sa *sa = emu_sa_by_id(s->table, *rte_security_dynfield(m));

	if (sa && !sa->inbound && emu_esp_find(frame_of(m), true, &esp) && works_on(s, sa, &esp) &&
	    work(sa, m, &esp)) {
		s->count.tx_ok++;
		return true;
	}
	s->count.tx_errors++;
	return false;
}

/* ---------------------------------------------------------------- life */

enum err emu_security_new(struct emu_dev *dev, struct emu_security **ret)
{
	if (rte_security_dynfield_register() < 0)
		return why_set(&dev->why, ERR_FULL, "no room in the mbuf for rte_security's field");
	struct emu_security *s = calloc(1, sizeof(*s));

	if (s == NULL || emu_sa_table_new(dev->profile, &s->table) != ERR_OK) {
		free(s);
		return why_set(&dev->why, ERR_MEMORY, "no memory for %u SAs", dev->profile->sas);
	}
	s->profile = dev->profile;
	s->ctx.device = dev->eth;
	s->ctx.ops = &ops;
	s->ctx.flags = dev->profile->fast_metadata ? RTE_SEC_CTX_F_FAST_SET_MDATA : 0;
	emu_caps_fill(&s->caps, dev->profile);
	*ret = s;
	return ERR_OK;
}

void emu_security_free(struct emu_security *s)
{
	if (s == NULL)
		return;
	emu_sa_table_free(s->table);
	free(s);
}

struct rte_security_ctx *emu_security_ctx(struct emu_security *s)
{
	return &s->ctx;
}

const struct emu_security_counters *emu_security_counters(const struct emu_security *s)
{
	return &s->count;
}

struct emu_faults *emu_security_faults(struct emu_security *s)
{
	return &s->faults;
}

void emu_security_forget(struct emu_security *s)
{
	emu_sa_clear(s->table);
}
