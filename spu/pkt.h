/* SPDX-License-Identifier: BSD-2-Clause */
/* A burst, and what was parsed of each of its packets once.
 *
 * Each stage of a road is a function over the burst: it works on the packets that are still alive,
 * and may give a packet its drop reason, once. Nothing here is allocated: one burst lives in the
 * SPU's context. Data-plane thread. */
#ifndef PKT_H
#define PKT_H
#include "bytes.h"
#include "ip_info.h"
#include "node_shm.h"
#include "oversize.h"
#include "port_meta.h"
#include "sa_table.h"

enum { BURST = 32, BURST_NONE = 0xff };
enum { ETHER_LEN = 14, ETHERTYPE_V4 = 0x0800, ETHERTYPE_V6 = 0x86dd };

struct pkt {
	struct rte_mbuf *m;
	struct sa *sa;
	uint8_t *outer;      /* outer IP header */
	uint8_t *esp;        /* ESP or AH header */
	uint64_t seq;        /* all 64 bits */
	struct ip_info info; /* of the inner packet */
	uint32_t spi;
	uint32_t wire_seq;
	uint16_t esp_len;  /* inbound: from there to the packet's end */
	uint16_t src_port; /* inbound: the peer's, 0 without UDP */
	uint16_t dst_port;
	uint8_t family;   /* of the outer header */
	uint8_t protocol; /* inbound: 50, 51 */
	uint8_t head;     /* inbound: bytes from the ESP or AH header to the payload */
	uint8_t tos;      /* of the outer header */
	uint8_t drop;     /* enum drop_reason; DROP_NONE: alive */
	bool consumed;    /* it was for the SPU itself */
	bool udp;         /* inbound: came in UDP */
	bool by_nic;      /* the NIC did the arithmetic */
	bool reassembled; /* inbound: of fragments, which no NIC decrypts */
	uint8_t oversize; /* outbound: enum oversize */
	bool nic_missed;  /* it should have, and handed it up as it came */
	uint8_t next;     /* of the same SA, or BURST_NONE */
	uint8_t pad;      /* outbound: bytes of ESP padding */
};

/* What an engine needs of a packet outside of the packet. */
struct pkt_own {
	uint8_t iv[NONCE_IV_LEN]; /* where it is implicit; of AH, whose field has to be zero */
	uint8_t icv[32];          /* AH inbound: as it came */
	uint8_t header[20];       /* AH outbound: of the outer header, what routers may change */
};

/* What the engine is to do for the burst, with the packet that each op belongs to. */
struct burst_work {
	struct engine_op op[BURST];
	uint8_t of[BURST];
	uint16_t n;
};

struct burst {
	uint16_t n, n_sas;
	struct pkt at[BURST];
	struct pkt_own own[BURST];
	struct sa *sas[BURST]; /* each SA of the burst once */
	struct burst_work work[SA_ENGINES];
};

/* Still on its way: not dropped, not for ourselves, not held (then it has no mbuf any more). */
static inline bool pkt_alive(const struct pkt *p)
{
	return p->m != NULL && p->drop == DROP_NONE && !p->consumed;
}

/* Frame bytes behind the Ethernet header. */
static inline struct view pkt_l3(const struct rte_mbuf *m)
{
	return (struct view){ rte_pktmbuf_mtod_offset(m, const uint8_t *, ETHER_LEN),
		              rte_pktmbuf_data_len(m) - (size_t)ETHER_LEN };
}

static inline struct sa_half *pkt_half(const struct pkt *p, bool inbound)
{
	return inbound ? &p->sa->in : &p->sa->out;
}

/* RFC 4106 5: SPI, then the sequence number, all 64 bits of it with ESN. */
static inline void pkt_aad(struct engine_op *op, const struct pkt *p)
{
	memcpy(op->aad, p->esp, 4);
	if (p->sa->form.aad_len == 12)
		put_be64(op->aad + 4, p->seq);
	else
		put_be32(op->aad + 4, (uint32_t)p->seq);
	op->aad_len = p->sa->form.aad_len;
}

/* What an engine is asked for the len bytes of payload behind ESP's header and IV, in either
 * direction; engine.h says what it is for which algorithm. */
static inline void pkt_esp_op(struct engine_op *op, const struct pkt *p, struct pkt_own *own,
                              uint32_t len)
{
	const struct form *f = &p->sa->form;

	op->m = p->m;
	op->verdict = ENGINE_FAILED;
	op->iv = p->esp + ESP_LEN;
	op->payload = p->esp + f->head;
	op->len = len;
	op->icv = op->payload + len;
	op->auth_len = 0;
	op->aad_len = op->esn_len = 0;
	if (f->kind != FORM_SEPARATE) {
		pkt_aad(op, p);
		if (f->iv == FORM_IV_IMPLICIT) {
			put_be64(own->iv, p->seq);
			op->iv = own->iv;
		}
		if (f->kind == FORM_AEAD)
			return;
		op->len = 0; /* GMAC: from the IV on (RFC 4543 3.3) */
		op->auth = p->esp + ESP_LEN;
		op->auth_len = f->iv_len + len;
		return;
	}
	if (f->icv_len == 0)
		return;
	op->auth = p->esp;
	op->auth_len = f->head + len;
	op->esn_len = f->esn_len;
	put_be32(op->esn, (uint32_t)(p->seq >> 32));
}

/* The first rule of docs/architecture.md: the epoch, then the sequence number. */
static inline uint64_t pkt_nonce(const struct pkt *p)
{
	return (uint64_t)p->sa->epoch << 48 | p->seq;
}

/* Room for one more op of packet i. */
static inline struct engine_op *burst_op(struct burst *b, enum sa_engine id, uint16_t i)
{
	struct burst_work *w = &b->work[id];

	w->of[w->n] = (uint8_t)i;
	return &w->op[w->n++];
}

/* Packets of one SA, one after another, SA by SA: so that sequence numbers, replay windows and
 * counters are asked once per SA and burst. Fills b->sas and the lists. */
static inline void burst_group(struct burst *b, bool inbound)
{
	b->n_sas = 0;
	for (uint16_t i = 0; i < b->n; i++) {
		struct pkt *p = &b->at[i];

		if (!pkt_alive(p))
			continue;
		struct sa_half *h = pkt_half(p, inbound);
		p->next = BURST_NONE;
		if (h->burst_n++ == 0) {
			b->sas[b->n_sas++] = p->sa;
			h->burst_first = (uint8_t)i;
		} else {
			b->at[h->burst_last].next = (uint8_t)i;
		}
		h->burst_last = (uint8_t)i;
	}
}

/* After burst_group() and before the next one. */
static inline void burst_ungroup(struct burst *b, bool inbound)
{
	for (uint16_t i = 0; i < b->n_sas; i++) {
		struct sa_half *h = inbound ? &b->sas[i]->in : &b->sas[i]->out;
		h->burst_n = 0;
	}
}

#endif
