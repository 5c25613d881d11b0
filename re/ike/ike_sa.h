/* SPDX-License-Identifier: BSD-2-Clause */
/* An IKE SA: everything that is known about one, from its first message to its last.
 *
 * `state` is written by ike_fsm.c alone. SAs are owned by the core (ike_priv.h); one that is gone
 * is freed when the call from outside ends, so pointers stay good until then. */
#ifndef IKE_SA_H
#define IKE_SA_H
#include "child_sa.h"
#include "ike.h"
#include "ike_auth.h"
#include "ike_dh.h"
#include "ike_due.h"
#include "ike_fsm.h"
#include "ike_message.h"
#include "ike_natd.h"
#include "ike_proposal.h"
#include "ike_window.h"
#include "payload_sk.h"

struct creation;
struct gateway;

enum { IKE_PEER_KEY = 8 + 16, IKE_SOURCE_KEY = 16 + 16 + 2 };

struct ike_sa {
	struct ike *ike; /* borrowed */
	struct list in_all;
	struct hash_node by_source; /* in ike->guard */
	uint8_t source_key[IKE_SOURCE_KEY];
	bool peer_was_up; /* another SA with the peer, when this one began */
	struct hash_node by_spi, by_peer, by_id, by_offer; /* see struct ike */
	uint8_t peer_key[IKE_PEER_KEY];                    /* of by_peer */
	uint64_t id_key;                                   /* of by_id */
	struct list same_id;    /* the ring of SAs whose peers have one identity */
	struct list of_tunnel;  /* in tunnel->sas */
	struct list of_gateway; /* in gw->sas, while children can be made under it */
	struct list of_turn;    /* in ike->put */
	struct list of_ended;   /* in ike->ended */
	enum ike_state state;
	enum ike_state target; /* where the step under way leads: what its record says */
	uint32_t index;
	bool initiator;
	bool replacing;        /* made while the tunnel was up, to take over from another */
	bool replaced;         /* its end is no news */
	bool no_more;          /* the peer makes no more SAs under it */
	uint8_t tries;         /* rekeys of it that failed */
	uint32_t rekeys;       /* since both ends proved who they are (RA-08) */
	uint8_t takes_over[8]; /* our SPI of the SA that it was made to take over from; 0 */
	bool negotiating;      /* counted in tunnel->negotiating */
	uint8_t spi_i[8], spi_r[8];
	uint8_t anchor;
	struct endpoint local, remote;
	struct gateway *gw;    /* NULL while a responder does not know yet, or when it vanished */
	struct tunnel *tunnel; /* that it was initiated for; NULL as responder */

	struct ike_choice choice;
	struct ike_keys keys;
	bool keyed;    /* keys are there */
	bool recorded; /* a record of it was put */
	bool unstored; /* but the store refused it */
	struct blob nonce_i, nonce_r, init_request, init_response, cookie; /* until it is up */
	const struct alg_ke *ke; /* of the exchange under way */
	struct dh_key *dh;       /* owns; between the two jobs of an initiator */
	uint32_t job_turn;       /* of the job that is waited for */
	uint8_t restarts;        /* cookies and wrong groups so far */
	uint32_t child_spi;      /* ours, in the IKE_AUTH request */

	struct ike_window win;
	bool mid_sync, replay_sync; /* both know RFC 6311 */
	struct {
		uint32_t claim;    /* M1, ours; 0: never */
		uint32_t seen;     /* the highest of the peer's */
		uint8_t nonce[4];  /* of ours */
		uint8_t sent;      /* so often */
		uint64_t retry_ms; /* until it is answered; UINT64_MAX */
	} sync;
	bool mobike;        /* the peer began it, and may say that it moves (RFC 4555) */
	uint32_t mobike_id; /* message ID of the last time it did */
	bool wish_challenge, challenged; /* it must show that it is where it says */
	uint8_t challenge[16];
	bool ppk_agreed;     /* both have announced RFC 8784 */
	bool ppk;            /* a postquantum key is in its keys */
	uint32_t peer_width; /* how many requests of ours at once it has announced to take */
	bool fragmentation;  /* both have announced RFC 7383 */
	bool too_long;       /* what was sealed last would have needed more than 32 fragments */
	uint8_t frag_sets;
	struct list frags; /* owns; struct ike_frag_set */
	uint32_t fragments_in, fragments_out, reassembled;
	struct ike_natd natd;
	bool udp_encap;
	struct ike_id *local_id, *peer_id; /* owns; NULL: none yet, see below */

	struct creation *create;    /* owns; an SA that we ask for; NULL */
	struct creation *answering; /* owns; one that the peer asked for, while the pool works */
	uint32_t stray_spi;         /* of a child that the peer has and we have not; 0 */

	struct list children; /* owns; of_sa, the newest first */
	uint32_t children_created, children_deleted;

	uint64_t created_ms, up_ms;
	uint64_t soft_ms, hard_ms;     /* UINT64_MAX: no end */
	uint64_t give_up_ms;           /* for states that wait on the peer alone; UINT64_MAX */
	uint64_t delete_at_ms;         /* it was replaced; UINT64_MAX */
	uint64_t reauth_ms;            /* the peer wants a reauthentication by then; UINT64_MAX */
	uint64_t dpd_ms, keepalive_ms; /* next look, next byte; UINT64_MAX */
	uint64_t store_ms;             /* to put the records again; UINT64_MAX */
	uint64_t heard_ms;             /* last authenticated message */
	uint64_t sent_ms, moved_ms;    /* last datagram of ours; last change of an address */
	bool wish_delete, wish_probe, wish_rekey; /* wait for the window */
	bool wish_tell; /* INVALID_MESSAGE_ID with the next probe, of ahead_id */
	uint32_t ahead_id;
	uint64_t tell_ms; /* not again before */

	uint64_t bytes_in, bytes_out, packets_in, packets_out;
	uint64_t unexpected;
	struct due due; /* the earliest of all the times above, and of its children's */
};

static inline struct ike_sa *ike_sa_at(struct list *in_all)
{
	return CONTAINER_OF(in_all, struct ike_sa, in_all);
}

static inline const struct ike_id *ike_sa_local_id(const struct ike_sa *sa)
{
	return ike_id_or_none(sa->local_id);
}

static inline const struct ike_id *ike_sa_peer_id(const struct ike_sa *sa)
{
	return ike_id_or_none(sa->peer_id);
}

/* A message that came in, read as far as it goes. */
struct ike_in {
	struct ike_header h;
	struct endpoint local, remote;
	struct view message;
	struct ike_content c;
	struct payload_skf skf; /* of a fragment; else 0 of 0 */
	struct view plain;      /* decrypted: of a fragment its part, else the payloads */
	uint8_t first;          /* the type of the first of them */
	enum err error;         /* authentic, but malformed: what is wrong */
	uint8_t bad_type;       /* ERR_UNSUPPORTED: the payload */
};

/* A new SA in state IDLE, hung into the tables, its SPI drawn for the anchor. */
enum err ike_sa_new(struct ike *ike, bool initiator, uint8_t anchor, const uint8_t *spi_i,
                    struct ike_sa **ret) MUST_CHECK;
/* One that is in no table yet, without deadlines. NULL when memory is out. */
struct ike_sa *ike_sa_alloc(struct ike *ike);
/* Takes it out of the tables and deletes its records; freed when the call from outside ends. */
void ike_sa_bury(struct ike_sa *sa, struct effects *fx);
void ike_sa_free(struct ike_sa *sa); /* takes NULL */

const uint8_t *ike_sa_our_spi(const struct ike_sa *sa);
uint64_t ike_sa_now(const struct ike_sa *sa);
uint32_t ike_sa_random32(struct ike *ike);
/* Kept for a peer that has not proved who it is, or for one that is gone: what is limited. */
bool ike_sa_half_open(const struct ike_sa *sa);

/* A header of ours for an exchange. */
struct ike_header ike_sa_header(const struct ike_sa *sa, enum ike_exchange ex, bool response);
/* Opens an encrypted message, seals it, as one datagram or several (ike_frag.h). Empty when it did
 * not fit. */
void ike_sa_out(const struct ike_sa *sa, struct ike_out *o, enum ike_exchange ex, bool response);
struct view ike_sa_seal(struct ike_sa *sa, struct ike_out *o, bool response);
/* The keys to seal a datagram with this header, the fragment-th of its message (0: the only one).
 */
void ike_sa_seal_keys(struct ike_sa *sa, const uint8_t *header, uint16_t fragment, uint8_t iv[16],
                      struct payload_sk_keys *ret);
/* The SK or SKF payload of an encrypted message, the only one outside: its number is in in->skf. */
enum err ike_sa_outer(struct ike_in *in, struct view *ret_body) MUST_CHECK;
/* Verifies and decrypts it; plain has IKE_MESSAGE_MAX bytes and lives as long as in. ERR_AUTH: not
 * from the peer. */
enum err ike_sa_open(struct ike_sa *sa, struct ike_in *in, struct view body,
                     uint8_t *plain) MUST_CHECK;
/* Reads what was inside of a whole message. Mistakes are in in->error. */
void ike_sa_read(struct ike_in *in);

/* Puts its records again where the store refused them. */
void ike_sa_store_again(struct ike_sa *sa, struct effects *fx);

/* A request of ours: remembered for retransmission, its record put, sent. */
enum err ike_sa_ask(struct ike_sa *sa, struct view message, const struct retry_policy *policy,
                    struct effects *fx) MUST_CHECK;
/* Likewise, not before the owner of this anchor has what was put in this turn. */
enum err ike_sa_ask_after(struct ike_sa *sa, struct view message, const struct retry_policy *policy,
                          int anchor, struct effects *fx) MUST_CHECK;
/* An answer of ours: remembered, its record put, sent to where the request came from. anchor: as in
 * struct fx_send. */
enum err ike_sa_answer(struct ike_sa *sa, const struct ike_in *in, struct view message, int anchor,
                       struct effects *fx) MUST_CHECK;
void ike_sa_send(struct ike_sa *sa, const struct endpoint *local, const struct endpoint *remote,
                 struct view message, struct effects *fx);
/* The same, each datagram as `as` says but for its bytes. */
void ike_sa_send_as(struct ike_sa *sa, const struct fx_send *as, struct effects *fx);

/* Its record as it is now (ike_record.c); only of SAs that a restart can go on with. */
void ike_sa_put(struct ike_sa *sa, struct effects *fx);
enum err ike_sa_restore(struct ike *ike, struct view body) MUST_CHECK;

/* Asks what waits for the window, when it is free. */
void ike_sa_pump(struct ike_sa *sa, struct effects *fx);
/* What is due at this time. */
ike_due_fire ike_sa_timeout;
/* Over: children and records are deleted; lingers in IKE_ENDED to repeat its last answer. */
void ike_sa_end(struct ike_sa *sa, struct effects *fx);
/* The lifetimes begin. */
void ike_sa_live(struct ike_sa *sa);
/* Arms its deadline anew, after any of its times has changed. */
void ike_sa_touch(struct ike_sa *sa);

#endif
