/* SPDX-License-Identifier: BSD-2-Clause */
/* The link between the keeper (hawserd) and the processes it keeps.
 * docs/architecture.md, "How the programs meet", says how they work together.
 *
 * RUNDIR/keeper.sock, SOCK_SEQPACKET, one fixed struct per message, descriptors beside it
 * (SCM_RIGHTS), both ends of the same user (SO_PEERCRED). Descriptors have names; an SPU's own have
 * its slot too. Whoever connects says hello, gives what it has (after a keeper's death the new one
 * gets everything back so), and is given what it lacks:
 *
 *     process                              keeper
 *       | HELLO_RE or HELLO_SPU slot         |
 *       | GIVE descriptors ...     --------> | keeps them (same name and slot: replaced)
 *       | GIVEN                              |
 *       |            <-------- TAKE descriptors ...
 *       |            <-------- READY         |
 *       | RE:  START_SPU, STOP_SPU, GIVE, FORGET, at any time
 *       |            <-------- SPU_STARTED, SPU_DIED, SPU_HUNG, SPU_STOPPED (to the RE), TAKE
 *
 * When the connection closes, the process connects again (every 100 ms) and begins as above: its
 * work goes on meanwhile. RE and SPU may call these from any one thread; nothing blocks but
 * keeper_link_hello(). */
#ifndef KEEPER_LINK_H
#define KEEPER_LINK_H
#include "errors.h"
#include <stdbool.h>
#include <stdint.h>

#define KEEPER_LINK_VERSION 1
#define KEEPER_SOCKET "keeper.sock" /* in RUNDIR */
#define KEEPER_NAME_MAX 24
#define KEEPER_MSG_FDS 64  /* in one message */
#define KEEPER_FDS_MAX 512 /* in all */
#define KEEPER_NO_SLOT (-1)
#define KEEPER_NO_NUMBER UINT32_MAX

/* Names that the keeper makes. BPF descriptors have the kernel's name of their map or program
 * (steer_fd_name()) and as number their enum steer_fd, which is also their place in
 * node_shm.bpf_id[]. An SPU is given node, runtime, wire_socks, fabric_socks and what has its slot;
 * the RE everything. */
#define KEEPER_FD_NODE "node"         /* RUNDIR/node: node_shm_map() */
#define KEEPER_FD_RUNTIME "runtime"   /* RUNDIR/runtime: sa_runtime_map() */
#define KEEPER_FD_IKE4_500 "ike4-500" /* UDP, bound, IP_PKTINFO on, not blocking */
#define KEEPER_FD_IKE4_4500 "ike4-4500"
#define KEEPER_FD_IKE6_500 "ike6-500" /* IPV6_V6ONLY, IPV6_RECVPKTINFO on */
#define KEEPER_FD_IKE6_4500 "ike6-4500"
#define KEEPER_FD_TO_SPU "to-spu" /* per slot: eventfd, the RE wakes the SPU */
#define KEEPER_FD_TO_RE "to-re"   /* per slot: eventfd, the SPU wakes the RE */

enum keeper_kind {
	/* process -> keeper */
	KEEPER_HELLO_RE = 1,
	KEEPER_HELLO_SPU, /* slot */
	KEEPER_GIVE,      /* descriptors */
	KEEPER_GIVEN,
	KEEPER_FORGET,    /* at[]: names (and slots) whose descriptors the keeper closes */
	KEEPER_START_SPU, /* slot, fpc, pic: keep it running; when it runs already: only SPU_STARTED
	                   */
	KEEPER_STOP_SPU,  /* slot: SIGTERM, after value ms (0: 5,000) SIGKILL; then SPU_STOPPED */
	/* keeper -> process */
	KEEPER_TAKE, /* descriptors, which belong to the receiver */
	KEEPER_READY,
	KEEPER_SPU_STARTED, /* slot, pid */
	KEEPER_SPU_DIED,    /* slot, pid; value: ms until it is started again */
	KEEPER_SPU_HUNG,    /* slot, pid: no progress, killed; SPU_DIED follows */
	KEEPER_SPU_STOPPED, /* slot: as was asked */
	KEEPER_REFUSED,     /* value: enum err; text */
	KEEPER_KINDS
};

/* Which descriptor it is. */
struct keeper_name {
	char name[KEEPER_NAME_MAX];
	int32_t slot;    /* or KEEPER_NO_SLOT */
	uint32_t number; /* or KEEPER_NO_NUMBER */
};

struct keeper_msg {
	uint32_t version; /* filled in by keeper_link_send() */
	uint32_t kind;    /* enum keeper_kind */
	int32_t slot;
	uint32_t value;
	uint32_t pid;
	uint32_t fpc, pic;
	uint32_t n; /* descriptors (or names) of this message */
	char text[160];
	struct keeper_name at[KEEPER_MSG_FDS];
};

/* A set of named descriptors, owned. Zero-initialise. */
struct keeper_fd {
	struct keeper_name name;
	int fd;
};
struct keeper_fds {
	struct keeper_fd at[KEEPER_FDS_MAX];
	size_t n;
};

/* The descriptor (borrowed), or -1. */
int keeper_fds_find(const struct keeper_fds *set, const char *name, int32_t slot);
/* Takes fd, also when it fails; one of the same name and slot is closed. */
enum err keeper_fds_put(struct keeper_fds *set, const struct keeper_name *name, int fd) MUST_CHECK;
/* Closes it; nothing when there is none. */
void keeper_fds_drop(struct keeper_fds *set, const char *name, int32_t slot);
/* Takes it out of the set; the caller owns it. -1 when there is none. */
int keeper_fds_steal(struct keeper_fds *set, const char *name, int32_t slot);
void keeper_fds_close(struct keeper_fds *set);

struct keeper_name keeper_name(const char *name, int32_t slot, uint32_t number);

/* Connects to the keeper of RUNDIR. ERR_NOT_FOUND or ERR_CLOSED while there is none; ERR_DENIED
 * when it is another user's. The descriptor does not block. */
enum err keeper_link_connect(const char *rundir, int *ret_fd, struct why *why) MUST_CHECK;
/* Keeper: the socket; one that a dead keeper left is replaced. */
enum err keeper_link_listen(const char *rundir, int *ret_fd, struct why *why) MUST_CHECK;
/* Keeper: the next connection, checked to be of our user. ERR_AGAIN when there is none. */
enum err keeper_link_accept(int listen_fd, int *ret_fd, uint32_t *ret_pid) MUST_CHECK;

/* Sends one message; for GIVE and TAKE with m->n descriptors (borrowed). ERR_AGAIN when the other
 * side does not read, ERR_CLOSED when it is gone. */
enum err keeper_link_send(int fd, const struct keeper_msg *m, const int *fds) MUST_CHECK;
/* Receives one message; descriptors go to ret_fds[0 .. ret->n - 1], owned by the caller, which has
 * room for KEEPER_MSG_FDS. ERR_AGAIN when there is none, ERR_CLOSED, ERR_VERSION, ERR_LENGTH: close
 * and connect again. Names end in a zero byte and kind is known; all else is for the caller. */
enum err keeper_link_recv(int fd, struct keeper_msg *ret, int *ret_fds) MUST_CHECK;

/* Sends what set holds, as GIVE or TAKE in as many messages as it takes; skip() (may be NULL)
 * leaves some out. */
typedef bool keeper_skip_fn(const void *ctx, const struct keeper_name *name);
enum err keeper_link_send_set(int fd, enum keeper_kind kind, const struct keeper_fds *set,
                              keeper_skip_fn *skip, const void *ctx) MUST_CHECK;

/* The whole greeting of a process: says hello (kind HELLO_RE or HELLO_SPU), gives what set holds,
 * and adds to set what the keeper gives, until READY. Waits at most timeout_ms for each message.
 * After it the caller polls fd for POLLIN and calls keeper_link_recv() until ERR_AGAIN. */
enum err keeper_link_hello(int fd, enum keeper_kind kind, int32_t slot, struct keeper_fds *set,
                           int timeout_ms, struct why *why) MUST_CHECK;

#endif
