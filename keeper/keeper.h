/* SPDX-License-Identifier: BSD-2-Clause */
/* hawserd: what an administrator starts. Small and dull, so that it does not die (settled: 5.2).
 *
 * It opens what must outlive the others, hands it on, starts the routing engine and, as that asks,
 * the SPUs, sees their deaths, clears alive words, starts them again. It reads nothing from the
 * network and holds no keys. If it is killed all the same, everything goes on; the next keeper in
 * the same RUNDIR gets everything back from those that live. One thread, but for the watchers
 * (child.h). */
#ifndef KEEPER_H
#define KEEPER_H
#include "child.h"
#include "log.h"

#define KEEPER_TICK_MS 50
#define KEEPER_CLIENTS (SPU_SLOTS + 4)

struct keeper_client {
	int fd; /* -1: free */
	uint32_t pid;
	bool greeted;
	bool is_re;
	int32_t slot;
	struct keeper_name gave[KEEPER_FDS_MAX]; /* what it has already */
	size_t gave_n;
};

struct keeper_options {
	const char *config, *rundir;
	const char *node; /* "0" or "1" */
};

enum keeper_phase { KEEPER_RUNNING, KEEPER_STOPPING_RE, KEEPER_STOPPING_SPUS, KEEPER_ENDED };

struct keeper {
	struct keeper_options options;
	struct log log;
	struct holdings holdings;
	struct child re, spu[SPU_SLOTS];
	struct keeper_client client[KEEPER_CLIENTS];
	int lock_fd, listen_fd, notice_fd, signal_fd;
	bool sockets_open; /* after the time that a living routing engine has to give them */
	enum keeper_phase phase;
	int status; /* exit status */
};

uint64_t keeper_now_ms(void);
void keeper_event(struct keeper *k, enum event_id event, const char *fmt, ...) PRINTF(3, 4);

/* serve.c: the link's messages. */
void keeper_accept(struct keeper *k);
void keeper_serve(struct keeper *k, struct keeper_client *c);
void keeper_share_alive(struct keeper *k); /* the watchers learn of the map */
void keeper_close_client(struct keeper_client *c);
struct keeper_client *keeper_re_client(struct keeper *k); /* NULL: not there */
void keeper_tell_re(struct keeper *k, enum keeper_kind kind, const struct child *spu,
                    uint32_t value);

/* life.c: starts, deaths, hangs. */
void keeper_start_re(struct keeper *k);
void keeper_start_spu(struct keeper *k, int32_t slot);
void keeper_look(struct keeper *k); /* each tick and notice */
void keeper_begin_end(struct keeper *k);

#endif
