/* SPDX-License-Identifier: BSD-2-Clause */
/* hawser-re: one event loop around the pure parts (ideas 2, 4 and 5).
 *
 * An event (a datagram, a timer, an SPU's wake-up, a command) becomes one call into pure code with
 * an empty list of effects, and daemon_turn() makes the list true. The files of this folder:
 *
 *     main.c          options; --check, --remove
 *     daemon.c        start in order, run, end
 *     world.c         struct env: clock, randomness, run-time table
 *     turn.c          effects in order: records, revision, messages
 *     keeper_side.c   the link to the keeper: descriptors, SPUs started and dead
 *     spus.c          the life of each SPU as the routing engine sees it; anchors onto them
 *     esp_handover.c  ESP in UDP that came in fragments, to its SPU
 *     moves.c         planned moves of anchors, with markers
 *     resume.c        what a predecessor left
 *     child_table.c   what is known of child SAs: tunnels for XDP, limits, slots that come free
 *     totals.c        counters that outlive their SAs
 *     apply.c         a configuration file becomes the one in force
 *     dataplane*.c, rtnl.c, sysctl.c, udp.c    the kernel
 *     cli_server.c, show_*.c, request.c    commands
 *
 * Everything here is of the loop's thread, but for the jobs that jobs.c gives to the pool. */
#ifndef DAEMON_PRIV_H
#define DAEMON_PRIV_H
#include "child_table.h"
#include "dataplane.h"
#include "devices.h"
#include "ike.h"
#include "keeper_link.h"
#include "log.h"
#include "moves.h"
#include "node_shm.h"
#include "placement.h"
#include "sa_runtime.h"
#include "spus.h"
#include "steer.h"
#include "store.h"
#include "totals.h"
#include "tunnel.h"
#include "turn.h"
#include "udp.h"
#include <uv.h>

#define PATH_ROOM 256

/* ESP in UDP that the kernel made of fragments. */
struct esp_handover {
	uint64_t since_ms;
	uint32_t in_second;
	uint64_t drop[DROP_MAX]; /* what was refused, and why */
};

struct cli_server;

struct daemon {
	/* options */
	char rundir[128];
	char config_file[PATH_ROOM];

	/* the world */
	struct log log;
	uv_loop_t loop;
	struct env env;
	struct node_shm *shm;            /* mapped */
	struct sa_runtime_table runtime; /* mapped */
	struct store *store;             /* owns, as all below */
	struct steer *steer;
	struct dataplane *dataplane;
	struct udp *udp;
	struct turn *turn;

	/* the keeper */
	int keeper_fd; /* -1: there is none now */
	struct keeper_fds fds;
	uv_poll_t keeper_poll;
	uv_timer_t keeper_timer; /* connects again */
	bool keeper_polled;

	/* the logic */
	struct config *config; /* in force */
	struct ike *ike;
	struct tunnels tunnels;
	struct spus spus;
	struct moves moves;
	struct devices devices;
	struct children children;
	struct esp_handover handover;
	uint16_t epoch;

	uv_timer_t ike_timer;     /* ike_next_due_ms() */
	uv_timer_t turn_timer;    /* turn_next_due_ms() */
	uv_timer_t tick;          /* TICK_MS: what nobody wakes us for */
	uv_timer_t acquire_timer; /* listens to acquires again */
	uv_timer_t links_timer;   /* links changed: looked at when it is quiet for a moment */
	uv_poll_t acquire_poll, monitor_poll;
	uv_poll_t to_re[SPU_SLOTS];
	bool to_re_polled[SPU_SLOTS];
	int monitor_fd;
	uv_signal_t sigterm, sigint, sighup;
	struct cli_server *cli;
	uint64_t ticks;
	uint32_t acquired; /* tunnel of the last acquire in this run of them */
	bool store_full, slots_full, ending;
};

#define TICK_MS 100

/* Where RUNDIR/name is; the buffer is the caller's. */
char *daemon_path(const struct daemon *d, const char *name, char buf[PATH_ROOM]);

/* Makes the effects true, and takes the list. Whatever the store refuses is said once. */
void daemon_turn(struct daemon *d, struct effects *fx);
/* Says an event, in the log. */
void daemon_event(struct daemon *d, enum event_id event, const char *fmt, ...) PRINTF(3, 4);
uint64_t daemon_now_ms(struct daemon *d);
/* Whether the store has the record with just this body. */
bool daemon_has_record(struct daemon *d, const struct record_key *key, struct view body);

/* esp_handover.c: a udp_esp_fn. */
void esp_handover(void *ctx, const struct endpoint *local, const struct endpoint *remote,
                  struct view esp);

/* world.c */
void world_init(struct daemon *d);

/* keeper_side.c: waits for the keeper at the start; afterwards connects again by itself. */
enum err keeper_side_start(struct daemon *d, struct why *why) MUST_CHECK;
void keeper_side_watch(struct daemon *d); /* once the loop runs */
void keeper_side_give_steer(struct daemon *d);
void keeper_side_start_spu(struct daemon *d, const struct config_spu *spu);
void keeper_side_stop_spu(struct daemon *d, uint8_t slot);
void keeper_side_stop(struct daemon *d);

/* apply.c */
struct config_report;
enum err apply_file(struct daemon *d, const char *file, struct config_report *report,
                    struct why *why) MUST_CHECK;
/* The file that we were started with. */
enum err apply_again(struct daemon *d) MUST_CHECK;
enum err apply_first(struct daemon *d, struct why *why) MUST_CHECK;

/* Links or addresses have changed: what the configuration wants of them is made true again. */
void apply_links(struct daemon *d);
/* Appends the tunnel's record. */
void apply_put_tunnel(struct daemon *d, const struct tunnel *t, struct effects *fx);

/* manual_sas.c: after the tunnels' records are put. */
void manual_sas_apply(struct daemon *d);
bool manual_sas_has(const struct record_key *key);
void manual_sas_each(struct daemon *d, bool (*fn)(void *ctx, const struct ike_child_info *),
                     void *ctx);

/* resume.c: records first, then the configuration, then IKE's SAs. */
enum err resume_records(struct daemon *d, struct why *why) MUST_CHECK;
void resume_ike(struct daemon *d);

/* jobs.c: runs the job in the pool and hands it back to IKE. */
void jobs_start(struct daemon *d, struct job *job);

/* cli_server.c */
enum err cli_server_start(struct daemon *d, struct why *why) MUST_CHECK;
void cli_server_stop(struct daemon *d);

#endif
