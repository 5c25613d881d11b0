// SPDX-License-Identifier: BSD-2-Clause
/* Inline crypto of a port by rte_security: the NIC encrypts what is marked, and says by flags what
 * it has decrypted.
 *
 * ESN: the NIC infers the high half of a sequence number by itself, from a number that it is told
 * when the session is made and again every 2^30 packets, from the run-time half (so a session that
 * slept while another SPU worked on the SA, or the other way round, stays within half a turn). */
#include "caps.h"
#include "engine_priv.h"
#include "nic_xform.h"
#include "secret.h"

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <rte_security.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS_MAX 16384
#define SALT_LEN 4
#define ESP_HDR_LEN 8
#define UDP_LEN 8
#define ETHER_LEN 14
#define ESN_SYNC_SHIFT 30

struct engine_session {
	void *sec;       /* rte_security's; owned */
	uint32_t resets; /* of the port, when this was made */
	bool esn, udp_encap;
	uint64_t synced;                  /* ESN: the number that the NIC was told last */
	const struct sa_runtime *runtime; /* borrowed: mapped as long as the SPU lives */
	struct rte_security_session_conf conf;
	struct nic_xforms xforms; /* conf points to it */
	bool from_payload;        /* where the ESP header is: before the payload, or before auth */
	uint8_t back;             /* and how far */
};

struct nic {
	struct engine e;
	uint16_t port_id;
	struct rte_security_ctx *ctx; /* the port's */
	struct rte_mempool *pool;     /* owns: of rte_security's session objects */
	struct caps caps;
	_Atomic uint32_t resets; /* seen by the callback, which may run in another thread */
};

static struct nic *nic_of(struct engine *e)
{
	return (struct nic *)e; /* e is its first member */
}

/* ---------------------------------------------------------------- sessions */

static void fill_tunnel(struct rte_security_ipsec_tunnel_param *t, const struct engine_sa *sa)
{
	const struct addr *src = sa->inbound ? &sa->remote : &sa->local;
	const struct addr *dst = sa->inbound ? &sa->local : &sa->remote;

	if (dst->family == ADDR_V4) {
		t->type = RTE_SECURITY_IPSEC_TUNNEL_IPV4;
		memcpy(&t->ipv4.src_ip, src->b, 4);
		memcpy(&t->ipv4.dst_ip, dst->b, 4);
	} else {
		t->type = RTE_SECURITY_IPSEC_TUNNEL_IPV6;
		memcpy(&t->ipv6.src_addr, src->b, 16);
		memcpy(&t->ipv6.dst_addr, dst->b, 16);
	}
}

static uint64_t runtime_seq(const struct engine_session *s)
{
	return s->runtime ? atomic_load_explicit(&s->runtime->seq, memory_order_relaxed) : 0;
}

/* Counted from what the ESP code above always gives for such an SA (engine.h). */
static void find_esp(struct engine_session *s, const struct alg_cipher *c)
{
	s->from_payload = c->icv_len != 0 && c->kind != ALG_KIND_GMAC;
	if (s->from_payload)
		s->back = (uint8_t)(ESP_HDR_LEN + c->iv_len);
	else
		s->back = c->kind == ALG_KIND_GMAC ? ESP_HDR_LEN : 0;
}

static void fill_conf(struct engine_session *s, const struct engine_sa *sa, bool stats)
{
	struct rte_security_ipsec_xform *x = &s->conf.ipsec;

	nic_xforms_fill(&s->xforms, sa);
	find_esp(s, sa->cipher);
	s->conf.action_type = RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO;
	s->conf.protocol = RTE_SECURITY_PROTOCOL_IPSEC;
	s->conf.crypto_xform = &s->xforms.first;
	x->spi = sa->spi;
	if (sa->cipher->salt_len == SALT_LEN)
		memcpy(&x->salt, sa->key.p + sa->cipher->key_len, SALT_LEN);
	x->options.esn = sa->esn;
	x->options.udp_encap = sa->udp_encap;
	x->options.iv_gen_disable = !sa->inbound;
	x->options.stats = stats;
	x->direction =
	        sa->inbound ? RTE_SECURITY_IPSEC_SA_DIR_INGRESS : RTE_SECURITY_IPSEC_SA_DIR_EGRESS;
	x->proto = RTE_SECURITY_IPSEC_SA_PROTO_ESP;
	x->mode = RTE_SECURITY_IPSEC_SA_MODE_TUNNEL;
	x->udp.sport = sa->inbound ? sa->remote_port : sa->local_port;
	x->udp.dport = sa->inbound ? sa->local_port : sa->remote_port;
	fill_tunnel(&x->tunnel, sa);
	s->synced = runtime_seq(s);
	x->esn.value = s->synced;
}

static void session_free(struct engine_session *s)
{
	secret_wipe(s, sizeof(*s));
	free(s);
}

/* What rte_security left in rte_errno, where the driver says it; real ones often do not. */
static enum err refusal(int e, const struct engine_sa *sa, struct why *why)
{
	if (e == ENOSPC)
		return why_set(why, ERR_FULL, "the NIC's SA table is full");
	if (e == ENOTSUP)
		return why_set(why, ERR_UNSUPPORTED, "the NIC refuses the SA: not supported");
	if (e == EEXIST)
		return why_set(why, ERR_DUPLICATE, "the NIC has an SA with SPI 0x%08x", sa->spi);
	return why_set(why, ERR_IO, "the NIC refuses the SA%s%s", e ? ": " : "",
	               e ? rte_strerror(e) : "");
}

static enum err nic_can(struct engine *e, const struct engine_sa *sa, struct why *why)
{
	return caps_can(&nic_of(e)->caps, sa, why);
}

static enum err nic_session_add(struct engine *e, const struct engine_sa *sa,
                                struct engine_session **ret, struct why *why)
{
	struct nic *nic = nic_of(e);

	TRY(caps_can(&nic->caps, sa, why));
	struct engine_session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return why_set(why, ERR_MEMORY, "no memory for a session");
	s->resets = atomic_load_explicit(&nic->resets, memory_order_acquire);
	s->esn = sa->esn;
	s->udp_encap = sa->udp_encap;
	s->runtime = sa->runtime;
	fill_conf(s, sa, sa->inbound ? nic->caps.in.stats : nic->caps.out.stats);
	if (rte_mempool_empty(nic->pool)) {
		session_free(s);
		return why_set(why, ERR_FULL, "all %d sessions of the port are taken",
		               SESSIONS_MAX);
	}
	rte_errno = 0;
	s->sec = rte_security_session_create(nic->ctx, &s->conf, nic->pool);
	if (s->sec == NULL) {
		session_free(s);
		return refusal(rte_errno, sa, why);
	}
	*ret = s;
	return ERR_OK;
}

static void nic_session_del(struct engine *e, struct engine_session *s)
{
	if (s == NULL)
		return;
	(void)rte_security_session_destroy(nic_of(e)->ctx, s->sec);
	session_free(s);
}

/* ---------------------------------------------------------------- bursts */

/* Tells the NIC where the sequence numbers are, when they have gone far. */
static void esn_sync(struct nic *nic, struct engine_session *s)
{
	uint64_t seq = runtime_seq(s);

	if (seq >> ESN_SYNC_SHIFT == s->synced >> ESN_SYNC_SHIFT)
		return;
	s->conf.ipsec.esn.value = seq;
	if (rte_security_session_update(nic->ctx, s->sec, &s->conf) == 0)
		s->synced = seq;
}

static void mark(struct nic *nic, struct engine_op *op)
{
	struct engine_session *s = op->session;
	struct rte_mbuf *m = op->m;
	const uint8_t *esp = (s->from_payload ? op->payload : op->auth) - s->back;
	const uint8_t *outer_end = esp - (s->udp_encap ? UDP_LEN : 0);

	m->ol_flags |= RTE_MBUF_F_TX_SEC_OFFLOAD;
	m->l2_len = m->outer_l2_len = ETHER_LEN;
	m->l3_len = m->outer_l3_len =
	        (uint32_t)(outer_end - rte_pktmbuf_mtod(m, uint8_t *) - ETHER_LEN) & 0x1ffu;
	op->verdict = rte_security_set_pkt_metadata(nic->ctx, s->sec, m, NULL) == 0 ? ENGINE_OK
	                                                                            : ENGINE_FAILED;
	if (op->verdict != ENGINE_OK)
		m->ol_flags &= ~RTE_MBUF_F_TX_SEC_OFFLOAD;
}

static void nic_burst_out(struct engine *e, struct engine_op *ops, uint16_t n)
{
	struct nic *nic = nic_of(e);
	uint32_t resets = atomic_load_explicit(&nic->resets, memory_order_acquire);

	for (uint16_t i = 0; i < n; i++) {
		struct engine_session *s = ops[i].session;

		if (s->resets != resets) {
			ops[i].verdict = ENGINE_NOT_DONE;
			continue;
		}
		if (s->esn)
			esn_sync(nic, s);
		mark(nic, &ops[i]);
	}
}

static void nic_burst_in(struct engine *e, struct engine_op *ops, uint16_t n)
{
	struct nic *nic = nic_of(e);

	for (uint16_t i = 0; i < n; i++) {
		struct engine_session *s = ops[i].session;

		if (!engine_nic_verdict(ops[i].m, &ops[i].verdict))
			ops[i].verdict = ENGINE_NOT_DONE;
		else if (s != NULL && s->esn) /* deleted since the NIC decrypted it */
			esn_sync(nic, s);
	}
}

/* ---------------------------------------------------------------- life */

static int on_reset(uint16_t port_id, enum rte_eth_event_type event, void *arg, void *ret)
{
	struct nic *nic = arg;

	(void)port_id;
	(void)event;
	(void)ret;
	atomic_fetch_add_explicit(&nic->resets, 1, memory_order_acq_rel);
	return 0;
}

static void nic_close(struct engine *e)
{
	struct nic *nic = nic_of(e);

	(void)rte_eth_dev_callback_unregister(nic->port_id, RTE_ETH_EVENT_INTR_RESET, on_reset,
	                                      nic);
	rte_mempool_free(nic->pool);
	free(nic);
}

static enum err open_pool(struct nic *nic, struct why *why)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	(void)snprintf(name, sizeof(name), "sessions_%u", nic->port_id);
	nic->pool =
	        rte_mempool_create(name, SESSIONS_MAX - 1, rte_security_session_get_size(nic->ctx),
	                           0, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	if (nic->pool == NULL)
		return why_set(why, ERR_MEMORY, "no memory for the NIC's sessions: %s",
		               rte_strerror(rte_errno));
	return ERR_OK;
}

enum err engine_inline_open(uint16_t port_id, struct engine **ret, struct why *why)
{
	struct caps caps;

	TRY(caps_read(port_id, &caps, why));
	struct nic *nic = calloc(1, sizeof(*nic));
	if (nic == NULL)
		return why_set(why, ERR_MEMORY, "no memory");
	nic->port_id = port_id;
	nic->ctx = rte_eth_dev_get_sec_ctx(port_id);
	nic->caps = caps;
	nic->e = (struct engine){ .id = SA_ENGINE_INLINE,
		                  .name = "inline",
		                  .can = nic_can,
		                  .session_add = nic_session_add,
		                  .session_del = nic_session_del,
		                  .burst_out = nic_burst_out,
		                  .burst_in = nic_burst_in,
		                  .close = nic_close };
	enum err e = open_pool(nic, why);
	if (e != ERR_OK) {
		free(nic);
		return e;
	}
	if (rte_eth_dev_callback_register(port_id, RTE_ETH_EVENT_INTR_RESET, on_reset, nic) != 0) {
		nic_close(&nic->e);
		return why_set(why, ERR_IO, "port %u takes no reset callback", port_id);
	}
	*ret = &nic->e;
	return ERR_OK;
}
