/* SPDX-License-Identifier: BSD-2-Clause */
/* The core itself: its configuration, its tables of SAs. Only for this folder. */
#ifndef IKE_PRIV_H
#define IKE_PRIV_H
#include "hash.h"
#include "ike_guard.h"
#include "ike_sa.h"
#include "list.h"

struct gateway {
	struct ike_conf_gateway conf;          /* conf.psk shows psk */
	struct hash_node by_name;              /* by conf.name */
	struct secret *psk;                    /* owns */
	struct secret *ppk;                    /* owns; NULL: none */
	struct list tunnels;                   /* of_gateway */
	struct list sas;                       /* of_gateway of the SAs that are up */
	const struct ike_blocklist *blocklist; /* of ike->blocklist; NULL: none */
	enum ike_establish
	        respond; /* the strictest of its tunnels that only respond; 0: none does */
};

struct tunnel {
	struct ike_conf_tunnel conf;
	struct ike_conf_tunnel *no_ah; /* owns: the same without AH; NULL: it has none */
	struct gateway *gw;
	struct list of_gateway;
	struct hash_node by_index;
	struct list children; /* of_tunnel of the child SAs that live */
	struct list sas;      /* of_tunnel of the SAs that were initiated for it */
	uint32_t negotiating; /* of these, and children on their way */
	struct due due;       /* when it may have to be initiated */
	uint64_t retry_ms;    /* not initiated before */
	uint32_t backoff_ms;
	bool wanted;      /* traffic asked for it */
	uint64_t used_ms; /* the last packet of SAs that are gone, or when it came up */
};

/* A gateway by one of its peers' addresses; NONE: any address is. */
struct gateway_at {
	struct addr peer;
	size_t order; /* its place in ike->gateway */
};

struct key_list {
	struct record_key *at; /* owns */
	size_t n, cap;
};

struct ike {
	struct env *env; /* borrowed */
	struct ike_crypto *crypto;
	uint8_t wrap_key[32];
	struct gateway **gateway; /* owns */
	size_t gateways;
	struct gateway_at *gateway_at; /* owns; by address, then by order */
	size_t gateways_at;
	struct ike_blocklist **blocklist; /* owns */
	size_t blocklists;
	struct tunnel **tunnel; /* owns */
	size_t tunnels;
	struct hash gateway_by_name;
	struct hash tunnel_by_index;
	struct ike_guard guard;
	bool started; /* ike_restored() was called */

	struct list sas;      /* in_all of those that are not gone */
	struct list gone;     /* in_all of those to be freed when the call ends */
	struct list ended;    /* of_ended of those in IKE_ENDED, the oldest first */
	struct hash by_spi;   /* SAs by our SPI */
	struct hash by_peer;  /* responders', by the initiator's SPI and address */
	struct hash by_id;    /* by the peer's identity: the first of each ring */
	struct hash by_child; /* child SAs by inbound SPI */
	struct hash by_offer; /* SAs by the child SPI in their IKE_AUTH request */
	struct timers timers; /* struct due of SAs and tunnels */
	uint32_t next_index;
	uint64_t next_serial;
	struct list put;         /* of_turn of the SAs whose records were put in this turn */
	struct key_list deleted; /* in this turn */
	struct key_list lost;    /* deletions that the store refused */
	struct due lost_due;     /* when they are tried again */
	struct list frags;       /* of_ike of partial messages, the one that waited longest first */
	struct due frag_due;     /* when it is given up */
	uint64_t stray_ms;       /* in this second, so many answers to strangers */
	uint32_t stray_answers;
	size_t frag_bytes; /* that all of them hold */
	struct ike_stats stats;
};

/* ike_tables.c */
enum err ike_tables_init(struct ike *ike) MUST_CHECK;
void ike_tables_done(struct ike *ike); /* frees the SAs too */
void ike_hang(struct ike *ike, struct ike_sa *sa);
void ike_unhang(struct ike *ike, struct ike_sa *sa);
/* A responder's, with the address that its IKE_SA_INIT came from. */
void ike_hang_peer(struct ike *ike, struct ike_sa *sa);
struct ike_sa *ike_by_spi(struct ike *ike, const uint8_t spi[8]);
struct ike_sa *ike_by_peer(struct ike *ike, const uint8_t spi_i[8], const struct addr *from);
/* The peer has told who it is (sa->peer_id): the SA joins the ring of those with that identity. */
void ike_hang_id(struct ike *ike, struct ike_sa *sa);
enum err ike_hang_child(struct ike *ike, struct child_sa *c) MUST_CHECK;
void ike_unhang_child(struct ike *ike, struct child_sa *c);
struct child_sa *ike_child_by_spi(struct ike *ike, uint32_t spi); /* inbound, host order */
/* Keeps the SPI that the SA offers for its first child from being drawn again; 0: no more. */
void ike_offer_spi(struct ike_sa *sa, uint32_t spi);
bool ike_spi_in_use(struct ike *ike, uint32_t child_spi);
void ike_sweep(struct ike *ike); /* frees what is gone: the last act of each call */

/* ike_timing.c: it is looked whether the tunnel is idle, from now on. */
void ike_idle_arm(struct child_sa *c);
/* From the birth of an SA with this lifetime to its soft end. */
uint64_t ike_soft_ms(struct ike *ike, bool initiator, uint64_t lifetime_ms);

/* ike.c */
void ike_delete_sa(struct ike_sa *sa, struct effects *fx); /* with a word where it is up */

/* ike_turn.c: what is done when the store refuses. */
void ike_turn_init(struct ike *ike);
void ike_turn_begin(struct ike *ike); /* the first act of each call */
void ike_turn_del(struct ike *ike, const struct record_key *key, struct effects *fx);
void ike_turn_put(struct ike_sa *sa); /* a record of it was put */
void ike_turn_free(struct ike *ike);

/* ike_configure.c */
void ike_conf_free(struct ike *ike);

/* ike_tunnel.c: when a tunnel is initiated. */
struct tunnel *ike_tunnel_find(const struct hash *by_index, uint32_t index);
struct tunnel *ike_tunnel_by_index(struct ike *ike, uint32_t index);
ike_due_fire ike_tunnel_fire;
/* Its configuration as this SA can use it: AH does not cross a NAT, nor fits into UDP. Without any
 * proposals where AH was all there is. */
const struct ike_conf_tunnel *ike_tunnel_conf(const struct ike_sa *sa, const struct tunnel *t);
void ike_tunnel_say_ah(const struct tunnel *t, struct effects *fx);
/* The SA is, or is no more, one that was initiated for a tunnel (NULL). */
void ike_tunnel_join(struct ike_sa *sa, struct tunnel *t);
void ike_tunnel_poll(struct ike *ike, struct tunnel *t, struct effects *fx);
/* old: the SA that it is to take over from; NULL: none. */
enum err ike_tunnel_initiate(struct ike *ike, struct tunnel *t, const struct ike_sa *old,
                             struct effects *fx) MUST_CHECK;
/* An SA that we initiated for it has come to nothing. */
void ike_tunnel_failed(struct ike *ike, struct tunnel *t);
/* Not tried again for a while. */
void ike_tunnel_back_off(struct ike *ike, struct tunnel *t);
/* Has it a child that is of use? */
bool ike_tunnel_has_child(const struct tunnel *t);
/* The newest of these; NULL. */
struct child_sa *ike_tunnel_child(const struct tunnel *t);
/* Does one of them send? */
bool ike_tunnel_sends(const struct tunnel *t);
/* What it may do; responder-only holds for all of a gateway (EST-02). */
enum ike_establish ike_tunnel_mode(const struct tunnel *t);
/* Does it want one from this SA, now? */
bool ike_tunnel_asks(const struct tunnel *t, const struct ike_sa *sa);
/* One that sends is gone: where it was the last, one that waited takes its place. */
void ike_tunnel_confirm(struct tunnel *t, struct effects *fx);
/* A child of it came to be by CREATE_CHILD_SA. */
void ike_tunnel_child_up(struct ike_sa *sa, struct tunnel *t);
/* A child's soft lifetime is over, or its sequence numbers are. */
void ike_tunnel_rekey(struct child_sa *c, struct effects *fx);
/* Its child under this SA is up: older SAs make way. */
void ike_tunnel_up(struct ike_sa *sa, struct tunnel *t, struct effects *fx);
/* After a restart: what was to make way had not yet. */
void ike_tunnel_restored(const struct tunnel *t, struct effects *fx);
/* A whole new SA with its children is to take over from this one. */
void ike_tunnel_renew(struct ike_sa *sa, struct effects *fx);
/* Notes when the child was used last, in tunnel->used_ms. */
void ike_tunnel_note_use(struct tunnel *t, const struct child_sa *c);
/* The last packet of any of its SAs, or when it came up. */
uint64_t ike_tunnel_last_use(struct tunnel *t);
/* It is time to rekey this SA. */
void ike_tunnel_rekey_ike(struct ike_sa *sa, struct effects *fx);

/* sa has a new child of the tunnel: those of older SAs make way. */
void ike_tunnel_take_over(struct ike_sa *sa, const struct tunnel *t, struct effects *fx);

/* ike_reauth.c: a whole new IKE SA takes over (RA-01 to 11, RFC 4478). */
/* Is the rekey that is due to be one? */
bool ike_reauth_due(const struct ike_sa *sa);
/* May it begin now? Then what else was about to be done to the old SA is dropped (RA-02). */
bool ike_reauth_begin(struct ike_sa *sa, struct effects *fx);
/* Its successor is being negotiated. */
bool ike_reauth_under_way(const struct ike_sa *sa);
bool ike_reauth_takes_over(const struct ike_sa *sa);
/* sa was made to take over from this one. */
bool ike_reauth_takes_over_from(const struct ike_sa *sa, const struct ike_sa *old);
/* The tunnel's child is still under the SA that this one takes over from. */
bool ike_reauth_moves(const struct tunnel *t, const struct ike_sa *sa);
/* The SA that it is to move to; NULL: it is where it should be. */
struct ike_sa *ike_reauth_mover(const struct tunnel *t);
/* The peer says for how long it believes that we are who we are. */
void ike_reauth_told(struct ike_sa *sa, const struct ike_content *c);
/* old was rekeyed: what goes on with sa. */
void ike_reauth_inherit(struct ike_sa *sa, const struct ike_sa *old);
/* The peer rekeyed old where we would have reauthenticated: so that is next, and if it fails, the
 * rekey has not made the life longer. */
void ike_reauth_hasten(struct ike_sa *sa, const struct ike_sa *old);
/* Whoever was to take over from old takes over from sa. */
void ike_reauth_follow(struct ike_sa *old, const struct ike_sa *sa, struct effects *fx);

/* ike_gateway.c: which gateway a peer belongs to. */
struct gateway *ike_gateway_find(const struct hash *by_name, const char *name);
struct view ike_gateway_key(const char *name);
struct gateway *ike_gateway_by_name(struct ike *ike, const char *name);
/* The gateways that fit these addresses, in the order of the configuration; NULL after the last. */
struct gateway_walk {
	struct addr local, remote;
	size_t at, any; /* in ike->gateway_at */
};
struct gateway_walk ike_gateway_walk(const struct ike *ike, const struct addr *local,
                                     const struct addr *remote);
struct gateway *ike_gateway_next(const struct ike *ike, struct gateway_walk *w);
/* For gateway_at. */
int ike_gateway_order(const void *a, const void *b);
bool ike_gateway_fits(const struct gateway *gw, const struct addr *local,
                      const struct addr *remote);
struct ike_id ike_gateway_local_id(const struct gateway *gw, const struct addr *local);
bool ike_gateway_id_ok(const struct gateway *gw, const struct ike_id *peer);
/* Does the gateway know its peer by identities of this type? */
bool ike_gateway_id_type_ok(const struct gateway *gw, const struct ike_id *peer);
/* The SA is up, or is no more, one that children can be made under. */
void ike_gateway_join(struct ike_sa *sa);
void ike_gateway_leave(struct ike_sa *sa);

/* ike_peer.c */
void ike_peer_event(struct effects *fx, enum event_id event, const struct ike_peer_info *p,
                    const char *fmt, ...) PRINTF(4, 5);

/* ike_stray.c: a message of another version; one with an IKE SPI that we do not know. */
void ike_stray_version(struct ike *ike, const struct ike_in *in, struct effects *fx);
void ike_stray_spi(struct ike *ike, const struct ike_in *in, struct effects *fx);
/* An answer without protection for this SA: an error that is said, and changes nothing? */
bool ike_stray_hint(struct ike_sa *sa, struct ike_in *in, struct effects *fx);

/* ike_fsm.c: at once, without a word. */
void ike_sa_discard(struct ike_sa *sa, struct effects *fx);

/* ike_dpd.c */
void ike_dpd_arm(struct ike_sa *sa, uint64_t now);
void ike_dpd_look(struct ike_sa *sa, uint64_t now);
struct retry_policy ike_dpd_policy(const struct ike_sa *sa);

/* ike_nat.c */
uint64_t ike_nat_keepalive_ms(const struct ike_sa *sa); /* the longest silence */
/* One byte, where nothing else went out for so long; sets the next time. */
void ike_nat_keep_alive(struct ike_sa *sa, uint64_t now, struct effects *fx);
/* A fresh, authentic message: its sender may be elsewhere now. */
void ike_nat_heard(struct ike_sa *sa, const struct ike_in *in, struct effects *fx);
/* The SA goes on between these: its records and its children's are put. */
void ike_move(struct ike_sa *sa, const struct endpoint *local, const struct endpoint *remote,
              const char *why, struct effects *fx);

/* ex_init.c, ex_auth.c, ex_info.c: from a message to an event. */
struct init_request {
	const struct ike_in *in;
	struct gateway *gw;
	struct ike_choice choice;
};
void ex_init_receive(struct ike *ike, struct ike_in *in, struct effects *fx);
/* The keys, from the nonces and the job's secret; both sides. */
enum err ex_init_keys(struct ike_sa *sa, const struct dh_job *j) MUST_CHECK;
/* The initiator goes to port 4500 where a NAT is, or is said to be (RFC 7296 2.23). */
void ex_init_float(struct ike_sa *sa);

struct auth_request {
	const struct ike_in *in;
	struct gateway *gw;
	struct ike_id local_id, peer_id;
	bool ppk; /* the gateway's is used (RFC 8784) */
};
void ex_auth_receive(struct ike_sa *sa, struct ike_in *in, struct effects *fx);
void ex_info_receive(struct ike_sa *sa, struct ike_in *in, struct effects *fx);

bool ex_info_deletes_wait(const struct ike_sa *sa);

/* ex_child.c: the child SA inside IKE_AUTH; CREATE_CHILD_SA is in ex_child.h. */
void ex_child_offer(struct ike_sa *sa, struct ike_out *o);
/* The responder's choice: on ERR_OK a child and what it answers; else the notify to send. */
struct child_answer {
	struct child_choice choice;
	struct child_sa *child;
	uint16_t notify;
};
enum err ex_child_answer(struct ike_sa *sa, const struct ike_in *in, struct child_answer *ret,
                         struct effects *fx) MUST_CHECK;
void ex_child_write_answer(struct ike_out *o, const struct child_answer *a);
/* The initiator's: makes the child that was answered. */
void ex_child_finish(struct ike_sa *sa, const struct ike_in *in, struct effects *fx);

#endif
