/* SPDX-License-Identifier: BSD-2-Clause */
/* IKEv2 (RFC 7296) as a function of (state, event, time) that returns effects (idea 5).
 *
 * The core keeps IKE SAs and their children, answers peers, initiates, probes, replaces and
 * deletes. It reads no clock and touches no socket: its owner hands in datagrams, finished jobs and
 * the time (struct env), and executes the effects of each call in order, the records before the
 * messages. What a restart must know is in the records: hand them to ike_restore() and it goes on.
 *
 * The way in: ike_new(); ike_configure(); ike_restore() for each IKE_SA record, then for each
 * CHILD_SA record; ike_restored(); then datagrams, jobs, timeouts and wishes in any order. After
 * each call ask ike_next_due_ms() and call ike_timeout() when that time has come.
 *
 * Messages to send carry no non-ESP marker: the owner adds it on port 4500, except to the one-byte
 * datagram 0xff, a NAT keepalive, which goes as it is (RFC 3948 2.3).
 *
 * In this version: pre-shared keys.
 * One thread: the event loop's. Jobs run elsewhere and touch nothing of the core. */
#ifndef IKE_H
#define IKE_H
#include "effects.h"
#include "env.h"
#include "ike_conf.h"

struct ike;

/* wrap_key: 32 bytes, wraps the secrets in IkeSaRecord (AES-256-GCM). env is borrowed and outlives
 * the core. NULL when memory is out or the library lacks an algorithm. */
struct ike *ike_new(struct env *env, const uint8_t wrap_key[32]);
/* Forgets everything without a word to anybody; records stay. Takes NULL. */
void ike_free(struct ike *ike);

/* Takes a configuration (copied). What is unchanged goes on undisturbed; SAs of gateways and
 * tunnels that changed or vanished are deleted and, where wanted, negotiated anew. On an error
 * nothing is changed. */
enum err ike_configure(struct ike *ike, const struct ike_conf *conf, struct effects *fx,
                       struct why *why) MUST_CHECK;
/* Whether ike_configure() would take it. */
enum err ike_conf_check(const struct ike_conf *conf, struct why *why) MUST_CHECK;

/* One record that the last process left. Bodies that do not decode or whose key does not fit give
 * an error and change nothing: the owner deletes such a record. A child whose IKE SA is not there
 * gives ERR_NOT_FOUND. */
enum err ike_restore(struct ike *ike, const struct record *record) MUST_CHECK;
/* All records are in: goes on where they stopped, and starts what should be up. */
void ike_restored(struct ike *ike, struct effects *fx);

/* What came on port 500 or 4500 (there without the non-ESP marker) since the last turn. Messages of
 * SAs go before those that begin one, so that a flood of these does not keep established peers
 * waiting; else in order. bytes live for the call. */
void ike_datagrams(struct ike *ike, const struct datagram *p, size_t n, struct effects *fx);
/* One of them. */
void ike_datagram(struct ike *ike, const struct endpoint *local, const struct endpoint *remote,
                  struct view bytes, struct effects *fx);
/* A job of an FX_JOB effect has run; taken. */
void ike_job_done(struct ike *ike, struct job *job, struct effects *fx);
/* The time that ike_next_due_ms() named has come. */
void ike_timeout(struct ike *ike, struct effects *fx);
/* When ike_timeout() wants to be called, in env->now_ms()'s time; UINT64_MAX: never. */
uint64_t ike_next_due_ms(const struct ike *ike);

/* The list of effects that the last call gave was not executed: the store refused it. What is up
 * goes on; its records are put again after a second, and with each message that depends on them,
 * until it is called no more. Call it before anything else of the core. */
void ike_turn_lost(struct ike *ike);

/* Traffic needs this tunnel: initiates unless it is up, under way, or may not. */
void ike_acquire(struct ike *ike, uint32_t tunnel, struct effects *fx);

/* Deletes with a word to the peer. ERR_NOT_FOUND when there is none. A tunnel that is established
 * immediately is negotiated anew. */
enum err ike_clear_ike(struct ike *ike, uint32_t index, struct effects *fx) MUST_CHECK;
enum err ike_clear_child(struct ike *ike, uint32_t tunnel, struct effects *fx) MUST_CHECK;
/* Rekeys at once, whatever the lifetime: the IKE SA; the tunnel's child. ERR_NOT_FOUND when there
 * is none that is up. */
enum err ike_rekey_ike(struct ike *ike, uint32_t index, struct effects *fx) MUST_CHECK;
enum err ike_rekey_child(struct ike *ike, uint32_t tunnel, struct effects *fx) MUST_CHECK;
/* Shutdown: a Delete for each SA, all records deleted, nothing waited for. */
void ike_delete_all(struct ike *ike, struct effects *fx);

/* This node took over an IKE SA whose record may be older than what the dead one has done: agrees
 * with the peer on message IDs beyond that, and skips sequence numbers (RFC 6311). ERR_UNSUPPORTED:
 * the peer cannot do it, only the numbers were skipped. */
enum err ike_sync_message_ids(struct ike *ike, uint32_t index, struct effects *fx) MUST_CHECK;

/* The data path saw authenticated packets of the child SA with this inbound SPI (host order) from
 * another address: a peer behind a NAT is followed. Else an error says why not. */
enum err ike_peer_moved(struct ike *ike, uint32_t spi, const struct endpoint *to,
                        struct effects *fx) MUST_CHECK;
/* The data path says that an SA has used up its sequence numbers, or reached a soft or hard limit
 * of bytes or packets: the tunnel is renewed. spi: the inbound SPI of the pair. */
void ike_child_exhausted(struct ike *ike, uint32_t spi, struct effects *fx);
/* It lets nothing through any more: it is renewed if that is possible, else deleted (LT-06). */
void ike_child_ended(struct ike *ike, uint32_t spi, struct effects *fx);

/* ---- what show commands need --------------------------------------------------------------- */

#define IKE_ID_TEXT_MAX 384

struct ike_sa_info {
	uint32_t index;
	uint8_t anchor;
	bool initiator, up;
	const char *state; /* of the machine: "up", "auth-sent" */
	uint8_t spi_i[8], spi_r[8];
	char gateway[IKE_NAME_MAX]; /* empty while a responder does not know yet */
	struct endpoint local, remote;
	bool nat_local, nat_remote, udp_encap;
	const struct alg_cipher *cipher; /* NULL while not negotiated, as the next three */
	const struct alg_integ *integ;   /* NULL with AEAD */
	const struct alg_prf *prf;
	const struct alg_ke *ke;
	const char *auth_method;           /* "Pre-shared-keys" */
	uint32_t lifetime_s, expires_in_s; /* 0 and 0: no end */
	char local_id[IKE_ID_TEXT_MAX],
	        peer_id[IKE_ID_TEXT_MAX]; /* "10.0.0.1", "gw.example"; empty */
	uint64_t bytes_in, bytes_out, packets_in, packets_out;
	uint32_t children_created, children_deleted;
	uint32_t retransmits;
	uint32_t rekeys; /* since both ends proved who they are */
	bool request_pending;
	bool mobike;        /* the peer may say that it moves (RFC 4555) */
	bool ppk;           /* a postquantum key is in its keys (RFC 8784) */
	bool fragmentation; /* both announced RFC 7383 */
	uint32_t window,
	        peer_window;    /* requests at once: of the peer, of ours as it has announced */
	uint16_t fragment_size; /* of an IP packet of ours; 0: we do not fragment */
	uint32_t fragments_in, fragments_out, reassembled;
};

struct ike_child_info {
	uint32_t tunnel;
	char vpn[IKE_NAME_MAX], gateway[IKE_NAME_MAX];
	uint32_t ike_index;
	uint8_t anchor;
	const char *state; /* "installed", "rekeyed": another took over; "deleting" */
	bool initiator, sending;
	uint32_t spi_in, spi_out; /* host order */
	uint32_t slot_in, slot_out;
	uint8_t protocol;                /* PROTO_ESP or PROTO_AH */
	const struct alg_cipher *cipher; /* NULL with AH */
	const struct alg_integ *integ;   /* NULL with AEAD */
	bool esn, udp_encap;
	uint16_t window;
	struct endpoint local, remote; /* outer; ports 500 without UDP encapsulation */
	struct ike_ts local_ts[IKE_SELECTORS_MAX], remote_ts[IKE_SELECTORS_MAX];
	size_t local_n, remote_n;
	uint32_t lifetime_s, expires_in_s, soft_expires_in_s; /* 0 in lifetime_s: no end */
	uint64_t hard_bytes, hard_packets;                    /* of each direction; 0: no end */
	struct sa_usage in, out;
};

/* Each calls fn for one after the other until it returns false. */
void ike_each_sa(struct ike *ike, bool (*fn)(void *ctx, const struct ike_sa_info *), void *ctx);
void ike_each_child(struct ike *ike, bool (*fn)(void *ctx, const struct ike_child_info *),
                    void *ctx);

/* A selector in Junos' notation: "ipv4_subnet(any:0,[0..7]=10.0.0.0/24)", ranges as
 * "ipv4_range(any:0,[0..7]=10.0.0.1-10.0.0.9)". Returns buf. */
#define IKE_TS_TEXT_MAX 192
char *ike_ts_text(const struct ike_ts *ts, char *buf);
/* An identity for people: "10.0.0.1", "gw.example", hex for what is not text. Returns buf. */
char *ike_id_text(const struct ike_id *id, char *buf);

/* Peers apart from those that are up. */
enum ike_peers {
	IKE_PEERS_ALL,
	IKE_PEERS_IN_PROGRESS, /* negotiate: SAs that are not up, see ike_each_sa() */
	IKE_PEERS_BLOCKED,     /* were on a blocklist */
	IKE_PEERS_FAILED,      /* came to nothing otherwise */
	IKE_PEERS_BACKOFF,     /* of both: may not come again yet */
};

enum ike_failure { IKE_FAILED_INIT, IKE_FAILED_AUTH, IKE_FAILED_BLOCKED };
const char *ike_failure_text(enum ike_failure reason); /* "auth-phase-failure" */
const char *ike_id_type_text(uint8_t type);            /* "hostname" */

struct ike_peer_info {
	struct endpoint local, remote; /* of its last attempt */
	char gateway[IKE_NAME_MAX];
	char id[128]; /* cut off where it is longer; empty: it did not tell */
	uint8_t id_type;
	bool peer_responds; /* its role */
	enum ike_failure reason;
	char list[IKE_LIST_NAME_MAX], rule[IKE_LIST_NAME_MAX]; /* IKE_FAILED_BLOCKED */
	bool reject;
	uint64_t at_ms, until_ms; /* of the failure; of backoff, 0: none */
	uint32_t times, refused;  /* failures; attempts dropped since the last */
};

/* The oldest first; not for IKE_PEERS_IN_PROGRESS. */
void ike_each_peer(struct ike *ike, enum ike_peers which,
                   bool (*fn)(void *ctx, const struct ike_peer_info *), void *ctx);
/* Forgets them; negotiations are abandoned. Returns how many there were. */
uint32_t ike_clear_peers(struct ike *ike, enum ike_peers which, struct effects *fx);

/* Counted since start, all kinds of things that peers can cause among them. */
struct ike_stats {
	uint64_t datagrams_in, datagrams_out;
	uint64_t initiated, answered; /* IKE_SA_INIT requests we sent and took up */
	uint64_t up, down;            /* IKE SAs that came up and went */
	uint64_t children_up, children_down;
	uint64_t retransmits, duplicates; /* requests sent again; answers sent again */
	uint64_t malformed, bad_icv, unexpected, unknown_spi, unknown_peer, bad_version;
	uint64_t half_open_refused, no_proposal, ts_unacceptable, auth_failed, timeouts;
	uint64_t moved;        /* SAs that went on between other addresses */
	uint64_t not_followed; /* authentic packets from elsewhere that did not move one */
	uint64_t initial_contact, cookies;
	uint64_t syncs;         /* RFC 6311, of both sides */
	uint64_t stray_answers; /* INVALID_IKE_SPI, INVALID_MAJOR_VERSION */
	/* RFC 7383: messages put together; fragments that were refused (not agreed on, more than
	 * 32), failed their check, were there already, never became a whole; messages of ours that
	 * would have needed more than 32. */
	uint64_t fragments_in, fragments_out, reassembled;
	uint64_t fragments_refused, fragments_bad, fragments_repeated, fragments_lost, too_long;
	uint64_t expired; /* half-open SAs whose time was over */
	uint64_t cookies_demanded, cookies_returned, cookies_wrong;
	uint64_t duplicate_initiations, backoffs, backoff_refused, blocked, connections_refused;
	uint64_t failed_init, failed_auth;
	uint64_t rate_refused[IKE_RATES];
	uint64_t create_refused;           /* CREATE_CHILD_SA requests that we refused */
	uint32_t half_open, sas, children; /* now */
};

void ike_stats(const struct ike *ike, struct ike_stats *ret);
void ike_clear_stats(struct ike *ike);

#endif
