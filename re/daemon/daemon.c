// SPDX-License-Identifier: BSD-2-Clause
#include "daemon_priv.h"

#include "daemon.h"
#include "set_aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STORE_FULL_RETRY_TICKS (10 * 1000 / TICK_MS)
#define NEIGHBOUR_TICKS (1000 / TICK_MS)
#define DELETE_FLUSH_MS 50
#define LINKS_QUIET_MS 20
#define ACQUIRE_PAUSE_MS 5
#define ACQUIRES_AT_ONCE 4096 /* more than the ring holds */

char *daemon_path(const struct daemon *d, const char *name, char buf[PATH_ROOM])
{
	(void)snprintf(buf, PATH_ROOM, "%s/%s", d->rundir, name);
	return buf;
}

void daemon_event(struct daemon *d, enum event_id event, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_event(&d->log, daemon_now_ms(d), event, "%s", text);
}

struct same {
	struct view body;
	bool same;
};

static enum err compare(void *ctx, const struct record *r)
{
	struct same *s = ctx;

	s->same = view_equal(s->body, r->body);
	return ERR_OK;
}

bool daemon_has_record(struct daemon *d, const struct record_key *key, struct view body)
{
	struct same s = { .body = body };

	return store_get(d->store, key, compare, &s) == ERR_OK && s.same;
}

/* ---- turns --------------------------------------------------------------------------------- */

static void arm(struct daemon *d, uv_timer_t *timer, uint64_t due_ms, uv_timer_cb cb)
{
	uint64_t now = daemon_now_ms(d);

	if (due_ms == UINT64_MAX)
		uv_timer_stop(timer);
	else
		uv_timer_start(timer, cb, due_ms > now ? due_ms - now : 0, 0);
}

static void on_ike_timer(uv_timer_t *timer)
{
	struct daemon *d = timer->data;
	struct effects fx = { 0 };

	ike_timeout(d->ike, &fx);
	daemon_turn(d, &fx);
}

static void on_turn_timer(uv_timer_t *timer)
{
	struct daemon *d = timer->data;
	struct effects none = { 0 };

	turn_flush(d->turn, daemon_now_ms(d));
	daemon_turn(d, &none);
}

void daemon_turn(struct daemon *d, struct effects *fx)
{
	totals_note_dying(d, fx);
	enum err e = turn_run(d->turn, fx, daemon_now_ms(d));

	if (e == ERR_FULL && !d->store_full)
		daemon_event(d, EVENT_STORE_FULL, "%s", "");
	else if (e && e != ERR_FULL)
		daemon_event(d, EVENT_IKE_INTERNAL, "store: %s", err_text(e));
	if (e == ERR_FULL)
		d->store_full = true;
	if (e && d->ike)
		ike_turn_lost(d->ike);
	udp_flush(d->udp);
	children_flush(d);
	arm(d, &d->turn_timer, turn_next_due_ms(d->turn), on_turn_timer);
	if (d->ike)
		arm(d, &d->ike_timer, ike_next_due_ms(d->ike), on_ike_timer);
}

static void owner_send(void *ctx, const struct fx_send *send)
{
	struct daemon *d = ctx;

	udp_send(d->udp, &send->local, &send->remote, send->bytes);
}

static void owner_event(void *ctx, enum event_id event, const char *text)
{
	daemon_event(ctx, event, "%s", text);
}

static void owner_job(void *ctx, struct job *job)
{
	jobs_start(ctx, job);
}

static void owner_recorded(void *ctx, const struct record *record)
{
	if (record->key.kind == REC_CHILD_SA)
		children_recorded(ctx, record);
}

static uint8_t owner_serving(void *ctx, uint8_t anchor)
{
	return spus_serving(ctx, anchor);
}

static void owner_wake(void *ctx)
{
	spus_wake(ctx);
}

/* ---- what comes in ------------------------------------------------------------------------- */

static void on_datagrams(void *ctx, const struct datagram *p, size_t n)
{
	struct daemon *d = ctx;
	struct effects fx = { 0 };

	ike_datagrams(d->ike, p, n, &fx);
	daemon_turn(d, &fx);
}

/* A flow without an SA asks with each of its packets: once for a run of them is enough. */
static void on_acquire(void *ctx, const struct steer_acquire *a)
{
	struct daemon *d = ctx;
	struct effects fx = { 0 };

	if (a->tunnel == d->acquired)
		return;
	d->acquired = a->tunnel;
	ike_acquire(d->ike, a->tunnel, &fx);
	daemon_turn(d, &fx);
}

static void on_acquires(uv_poll_t *poll, int status, int events);

static void on_acquire_timer(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	uv_poll_start(&d->acquire_poll, UV_READABLE, on_acquires);
}

static void on_acquires(uv_poll_t *poll, int status, int events)
{
	struct daemon *d = poll->data;

	(void)status;
	(void)events;
	d->acquired = 0;
	(void)steer_acquire_read(d->steer, ACQUIRES_AT_ONCE, on_acquire, d);
	/* The first is answered at once, a flood of them in portions. */
	uv_poll_stop(poll);
	uv_timer_start(&d->acquire_timer, on_acquire_timer, ACQUIRE_PAUSE_MS, 0);
}

static void on_links_timer(uv_timer_t *timer)
{
	apply_links(timer->data);
}

static void on_links(uv_poll_t *poll, int status, int events)
{
	struct daemon *d = poll->data;

	(void)status;
	(void)events;
	/* One look for a burst of changes: a link that comes is told of several times. */
	if (rtnl_monitor_drain(d->monitor_fd) && !uv_is_active((uv_handle_t *)&d->links_timer))
		uv_timer_start(&d->links_timer, on_links_timer, LINKS_QUIET_MS, 0);
}

static void on_tick(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	d->ticks++;
	if (d->ticks % STORE_FULL_RETRY_TICKS == 0)
		d->store_full = false;
	if (d->ticks % NEIGHBOUR_TICKS == 0)
		dataplane_probe_neighbours(d->dataplane, daemon_now_ms(d));
	spus_check(d);
	moves_check(d);
	children_flush(d);
}

static void on_missing(void *ctx, const char *device)
{
	daemon_event(ctx, EVENT_INTERFACE_MISSING, "%s", device);
}

static void on_reload(uv_signal_t *handle, int signum)
{
	(void)signum;
	(void)!apply_again(handle->data);
}

static void stop_loop(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

/* An orderly end: peers are told, and their answers are not waited for. */
static void on_end(uv_signal_t *handle, int signum)
{
	struct daemon *d = handle->data;
	struct effects fx = { 0 };

	(void)signum;
	if (d->ending)
		return;
	d->ending = true;
	ike_delete_all(d->ike, &fx);
	daemon_turn(d, &fx);
	uv_timer_stop(&d->tick);
	uv_timer_start(&d->tick, stop_loop, DELETE_FLUSH_MS, 0);
}

/* ---- start --------------------------------------------------------------------------------- */

static enum err map_memory(struct daemon *d, struct why *why)
{
	TRY(node_shm_map(keeper_fds_find(&d->fds, KEEPER_FD_NODE, KEEPER_NO_SLOT), &d->shm, why));
	TRY(sa_runtime_map(keeper_fds_find(&d->fds, KEEPER_FD_RUNTIME, KEEPER_NO_SLOT), &d->runtime,
	                   why));
	/* A predecessor that was just killed may be dying still. */
	enum err e = proc_slot_take(&d->shm->re);
	for (int i = 0; e == ERR_BUSY && i < 200; i++) {
		usleep(10000);
		e = proc_slot_take(&d->shm->re);
	}
	return e ? why_set(why, e, "another routing engine runs in %s", d->rundir) : ERR_OK;
}

static enum err open_whole_store(struct daemon *d, struct why *why)
{
	char path[PATH_ROOM];

	daemon_path(d, "store", path);
	enum err e = store_open(path, STORE_WRITE, 0, &d->store, why);
	if (e != ERR_CORRUPT && e != ERR_VERSION)
		return e;
	daemon_event(d, EVENT_STORE_SET_ASIDE, "%s: kept as %s/" SET_ASIDE_STORE, why->text,
	             d->rundir);
	TRY(set_aside_store(d->rundir));
	return store_open(path, STORE_WRITE, 0, &d->store, why);
}

/* What SPUs say that they have applied is a revision: one that a new store would give a second time
 * would be believed too early, and a slot of the run-time table given away under an SPU that still
 * sends with the old key. */
static enum err open_store(struct daemon *d, struct why *why)
{
	TRY(open_whole_store(d, why));
	return store_raise(d->store, node_shm_revision_seen(d->shm));
}

/* The steering of a predecessor, from the keeper; else a new one. */
static enum err open_steer(struct daemon *d, struct why *why)
{
	struct why adopting = { "" };
	int fds[STEER_FDS];
	bool all = true;

	for (int i = 0; i < STEER_FDS; i++) {
		fds[i] = keeper_fds_find(&d->fds, steer_fd_name((enum steer_fd)i), KEEPER_NO_SLOT);
		all &= fds[i] >= 0;
	}
	for (int i = 0; all && i < STEER_FDS; i++)
		all = (fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0)) >= 0;
	if (all && steer_adopt(fds, &d->steer, &adopting) == ERR_OK)
		return ERR_OK;
	TRY(steer_open(&d->steer, why));
	daemon_event(d, EVENT_DATAPLANE_READY, "%s", adopting.text);
	return ERR_OK;
}

/* The key that wraps IKE's secrets in the store: in a file that only we may read. */
static enum err wrap_key(struct daemon *d, uint8_t key[32], struct why *why)
{
	char path[PATH_ROOM];
	int fd = open(daemon_path(d, "re.key", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return why_set(why, err_from_errno(errno), "%s: %s", path, strerror(errno));
	ssize_t n = read(fd, key, 32);
	if (n != 32) {
		d->env.random(&d->env, key, 32);
		n = pwrite(fd, key, 32, 0);
	}
	close(fd);
	return n == 32 ? ERR_OK : why_set(why, ERR_IO, "%s: cannot be written", path);
}

static enum err open_parts(struct daemon *d, struct why *why)
{
	static const char *const names[UDP_SOCKETS] = { KEEPER_FD_IKE4_500, KEEPER_FD_IKE4_4500,
		                                        KEEPER_FD_IKE6_500, KEEPER_FD_IKE6_4500 };
	const struct turn_owner owner = { d,         owner_send,     owner_event,
		                          owner_job, owner_recorded, owner_serving,
		                          owner_wake };
	char path[PATH_ROOM];
	int fd[UDP_SOCKETS];

	TRY(open_store(d, why));
	TRY(open_steer(d, why));
	keeper_side_give_steer(d);
	TRY(dataplane_open(d->steer, daemon_path(d, "sysctl", path), &d->dataplane, why));
	dataplane_on_missing(d->dataplane, on_missing, d);
	/* Ours is a duplicate: the descriptor itself goes back to a new keeper. */
	for (int i = 0; i < UDP_SOCKETS; i++) {
		fd[i] = keeper_fds_find(&d->fds, names[i], KEEPER_NO_SLOT);
		fd[i] = fd[i] < 0 ? -1 : fcntl(fd[i], F_DUPFD_CLOEXEC, 0);
	}
	TRY(udp_open(&d->loop, fd, on_datagrams, esp_handover, d, &d->udp, why));
	d->turn = turn_new(d->store, d->shm, &owner);
	if (d->turn == NULL)
		return ERR_MEMORY;
	return moves_start(d, why);
}

static void init_handles(struct daemon *d)
{
	uv_timer_init(&d->loop, &d->ike_timer);
	uv_timer_init(&d->loop, &d->turn_timer);
	uv_timer_init(&d->loop, &d->tick);
	uv_timer_init(&d->loop, &d->links_timer);
	uv_timer_init(&d->loop, &d->acquire_timer);
	d->ike_timer.data = d->turn_timer.data = d->tick.data = d;
	d->links_timer.data = d->acquire_timer.data = d;
	d->sigterm.data = d->sigint.data = d->sighup.data = d;
	uv_signal_init(&d->loop, &d->sigterm);
	uv_signal_init(&d->loop, &d->sigint);
	uv_signal_init(&d->loop, &d->sighup);
}

static enum err watch_all(struct daemon *d, struct why *why)
{
	int fd;

	TRY(steer_acquire_fd(d->steer, &fd, why));
	TRY(rtnl_monitor_open(&d->monitor_fd, why));
	d->acquire_poll.data = d->monitor_poll.data = d;
	uv_poll_init(&d->loop, &d->acquire_poll, fd);
	uv_poll_start(&d->acquire_poll, UV_READABLE, on_acquires);
	uv_poll_init(&d->loop, &d->monitor_poll, d->monitor_fd);
	uv_poll_start(&d->monitor_poll, UV_READABLE, on_links);
	uv_timer_start(&d->tick, on_tick, TICK_MS, TICK_MS);
	uv_signal_start(&d->sigterm, on_end, SIGTERM);
	uv_signal_start(&d->sigint, on_end, SIGINT);
	uv_signal_start(&d->sighup, on_reload, SIGHUP);
	keeper_side_watch(d);
	spus_watch_wakeups(d);
	return cli_server_start(d, why);
}

enum err daemon_start(struct daemon *d, struct why *why)
{
	uint8_t key[32];

	world_init(d);
	uv_loop_init(&d->loop);
	init_handles(d);
	TRY(children_init(&d->children));
	TRY(keeper_side_start(d, why));
	TRY(map_memory(d, why));
	TRY(open_parts(d, why));
	TRY(wrap_key(d, key, why));
	d->ike = ike_new(&d->env, key);
	explicit_bzero(key, sizeof(key));
	if (d->ike == NULL)
		return why_set(why, ERR_MEMORY, "IKE cannot start");
	TRY(resume_records(d, why));
	spus_resume(d);
	devices_resume(d);
	TRY(apply_first(d, why));
	resume_ike(d);
	return watch_all(d, why);
}

int daemon_run(struct daemon *d)
{
	uv_run(&d->loop, UV_RUN_DEFAULT);
	cli_server_stop(d);
	uv_run(&d->loop, UV_RUN_NOWAIT);
	proc_slot_leave(&d->shm->re);
	return 0;
}
