/* SPDX-License-Identifier: BSD-2-Clause */
/* A security association as the data path sees it: a pair, decided when it is built.
 *
 * Header bytes, selectors and cipher sessions stand ready; what changes with every packet is in the
 * run-time half (sa_runtime.h). Each direction has a session of the soft engine as long as it
 * lives, and one of the NIC while it is promoted (idea 6): a packet that the NIC did not do is done
 * by the other, so a change of engine loses nothing. Data-plane thread. */
#ifndef SA_H
#define SA_H
#include "encap.h"
#include "engine.h"
#include "form.h"
#include "promote.h"
#include "secret.h"
#include "selectors.h"
#include "sizes.h"

enum { SA_ENGINES = 2 }; /* of enum sa_engine */

struct sa_engines {
	struct engine *by[SA_ENGINES]; /* borrowed; inline may be NULL, soft never is */
};

/* One direction. */
struct sa_half {
	struct sa_runtime *runtime;                 /* in the mapped table */
	struct engine_session *session[SA_ENGINES]; /* own */
	struct secret *key;                         /* owns: cipher key, then salt */
	struct secret *auth_key;                    /* owns: integrity key (GMAC: then salt) */
	uint32_t spi;
	uint32_t slot;
	uint8_t engine; /* enum sa_engine: which works on it now */
	/* Of the burst in work: its packets of this SA, as a list of indices (pkt.h). */
	uint8_t burst_n, burst_first, burst_last;
	struct promote promote; /* whether the NIC gets it (nic.c) */
	uint32_t asked;         /* as of the tunnel, when its policy was last looked at */
	uint64_t told_ms;       /* last event about it */
	uint64_t soft_told_ms, hard_told_ms; /* last events about its limits */
	uint64_t soft_seq; /* outbound: from this number on a successor is needed */
	struct sa_limits limits;
	bool limited; /* there are any */
};

struct sa {
	struct sa_half in, out;
	struct form form;
	const struct alg_cipher *cipher; /* NULL with AH */
	const struct alg_integ *integ;   /* NULL with AEAD, or without integrity */
	struct encap encap;
	struct addr local, remote; /* outer */
	uint16_t local_port, remote_port;
	uint16_t instance; /* routing instance of the gateway */
	uint16_t epoch;    /* of the nonces that we make */
	uint8_t anchor;
	uint8_t protocol; /* 50, 51 */
	bool udp, esn;
	bool sending;     /* the peer is known to have it */
	uint64_t hard_ms; /* CLOCK_BOOTTIME; UINT64_MAX: none */
	uint64_t serial;  /* of several that send, the highest is taken */
	uint32_t tunnel_index;
	uint32_t by_hand;      /* the tunnel, where the record's key names it; else 0 */
	struct selectors *ts;  /* owns */
	struct tunnel *tunnel; /* borrowed from the table that the SA is in */
	struct sa *next_spi, *next_out, *next_of_tunnel;
};

/* A tunnel, known by its record, or named by an SA before its record came. */
struct tunnel {
	uint32_t index;
	uint32_t st0_ifindex;
	uint16_t instance;
	uint8_t df;     /* enum encap_df */
	uint8_t choice; /* EngineChoice of the record */
	bool known;
	bool post_fragmentation; /* too big: the outer packet is fragmented, not the inner one */
	bool copy_outer_dscp;    /* to the inner packet */
	uint16_t tcp_mss;        /* 0: left alone */
	uint16_t link_mtu;       /* of the interface that leads to the peer; 0: not known */
	struct addr answer4, answer6; /* source of ICMP errors; ADDR_NONE: none are made */
	uint32_t asked;               /* counts its records: each asks for its engine anew */
	struct sa *sas;               /* newest first */
	struct tunnel *next;
};

struct Hawser__ChildSaRecord;

/* Builds an SA from its record, without sessions. ERR_UNSUPPORTED for an algorithm that is not
 * built; ERR_RANGE for a slot that is not of the run-time table. */
enum err sa_make(const struct Hawser__ChildSaRecord *m, struct sa_runtime_table *runtime,
                 struct sa **ret, struct why *why) MUST_CHECK;
/* Closes the sessions, wipes the keys. Takes NULL; not for one that is in a table. */
void sa_free(const struct sa_engines *e, struct sa *sa);

/* Opens what is missing of the soft sessions. */
enum err sa_open(const struct sa_engines *e, struct sa *sa, struct why *why) MUST_CHECK;
/* Takes the sessions of an older version of the same SA where they still fit. */
void sa_inherit(struct sa *sa, struct sa *old);

/* How long its outbound packets are. */
static inline struct sizes sa_sizes(const struct sa *sa)
{
	const struct form *f = &sa->form;

	return (struct sizes){ .front = (uint16_t)(sa->encap.len + f->head),
		               .back = f->tail,
		               .align = f->align,
		               .trailer = f->trailer };
}

/* Moves one direction to the NIC; on failure it stays where it is. */
enum err sa_promote(const struct sa_engines *e, struct sa *sa, bool inbound,
                    struct why *why) MUST_CHECK;
/* Moves it back. Packets that the NIC still hands up are known by their flags. */
void sa_demote(const struct sa_engines *e, struct sa *sa, bool inbound);

#endif
