// SPDX-License-Identifier: BSD-2-Clause
/* The routing engine's end of the link to the keeper (settled: 5.1, 5.2). */
#include "daemon_priv.h"

#include <string.h>
#include <unistd.h>

#define HELLO_MS 5000
#define RECONNECT_MS 100
#define START_TRIES 50

static enum err greet(struct daemon *d, struct why *why)
{
	int fd;

	TRY(keeper_link_connect(d->rundir, &fd, why));
	enum err e = keeper_link_hello(fd, KEEPER_HELLO_RE, KEEPER_NO_SLOT, &d->fds, HELLO_MS, why);
	if (e) {
		close(fd);
		return e;
	}
	d->keeper_fd = fd;
	return ERR_OK;
}

enum err keeper_side_start(struct daemon *d, struct why *why)
{
	enum err e = ERR_NOT_FOUND;

	for (int i = 0; i < START_TRIES && e; i++) {
		e = greet(d, why);
		if (e)
			usleep(RECONNECT_MS * 1000);
	}
	return e;
}

static void on_message(struct daemon *d, const struct keeper_msg *m)
{
	uint8_t slot = (uint8_t)m->slot;

	if (m->slot < 0 || m->slot >= SPU_SLOTS)
		return;
	switch (m->kind) {
	case KEEPER_SPU_DIED:
		spus_died(d, slot);
		break;
	case KEEPER_SPU_HUNG:
		daemon_event(d, EVENT_SPU_HUNG, "slot %u, pid %u", slot, m->pid);
		break;
	case KEEPER_SPU_STARTED:
		spus_started(d, slot, m->pid);
		break;
	case KEEPER_SPU_STOPPED:
		spus_stopped(d, slot);
		break;
	default:
		break;
	}
}

/* What the keeper hands us on the way (an SPU's eventfds, made when it is first started). */
static void on_descriptors(struct daemon *d, const struct keeper_msg *m, const int *fds)
{
	for (uint32_t i = 0; i < m->n; i++)
		(void)!keeper_fds_put(&d->fds, &m->at[i], fds[i]);
	spus_watch_wakeups(d);
}

static void lost(struct daemon *d)
{
	uv_poll_stop(&d->keeper_poll);
	uv_close((uv_handle_t *)&d->keeper_poll, NULL);
	d->keeper_polled = false;
	close(d->keeper_fd);
	d->keeper_fd = -1;
	if (!d->ending)
		daemon_event(d, EVENT_KEEPER_DOWN, "%s", "");
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct daemon *d = poll->data;
	struct keeper_msg m;
	int fds[KEEPER_MSG_FDS];

	(void)status;
	(void)events;
	for (;;) {
		enum err e = keeper_link_recv(d->keeper_fd, &m, fds);

		if (e == ERR_AGAIN)
			return;
		if (e) {
			lost(d);
			return;
		}
		if (m.kind == KEEPER_TAKE)
			on_descriptors(d, &m, fds);
		else
			on_message(d, &m);
	}
}

static void watch(struct daemon *d)
{
	d->keeper_poll.data = d;
	d->keeper_polled = uv_poll_init(&d->loop, &d->keeper_poll, d->keeper_fd) == 0 &&
	                   uv_poll_start(&d->keeper_poll, UV_READABLE, on_readable) == 0;
}

/* A new keeper gets everything back: descriptors in the greeting, then the SPUs that should run. */
static void again(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	if (d->keeper_fd >= 0 || d->ending || greet(d, NULL))
		return;
	watch(d);
	daemon_event(d, EVENT_KEEPER_UP, "connected again");
	keeper_side_give_steer(d);
	spus_watch_wakeups(d);
	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++) {
		const struct spu_run *s = &d->spus.at[slot];

		if (s->wanted && !s->leaving)
			keeper_side_start_spu(d, &s->conf);
		else if (!s->in_service && (s->leaving || proc_slot_alive(&d->shm->spu[slot].proc)))
			keeper_side_stop_spu(d, slot);
	}
}

void keeper_side_watch(struct daemon *d)
{
	watch(d);
	d->keeper_timer.data = d;
	uv_timer_init(&d->loop, &d->keeper_timer);
	uv_timer_start(&d->keeper_timer, again, RECONNECT_MS, RECONNECT_MS);
}

/* The keeper holds the steering descriptors beside us, and knows their ids for the case that both
 * of us die. */
void keeper_side_give_steer(struct daemon *d)
{
	struct keeper_msg m = { .kind = KEEPER_GIVE, .slot = KEEPER_NO_SLOT, .n = STEER_FDS };
	int fds[STEER_FDS];
	uint32_t ids[STEER_FDS];

	_Static_assert(STEER_FDS <= KEEPER_MSG_FDS, "one message");
	for (uint32_t i = 0; i < STEER_FDS; i++) {
		fds[i] = steer_fd(d->steer, (enum steer_fd)i);
		m.at[i] = keeper_name(steer_fd_name((enum steer_fd)i), KEEPER_NO_SLOT, i);
	}
	if (steer_ids(d->steer, ids) == ERR_OK)
		for (uint32_t i = 0; i < STEER_FDS; i++)
			d->shm->bpf_id[i] =
			        ids[i] | (steer_fd_is_prog((enum steer_fd)i) ? NODE_BPF_PROG : 0);
	if (d->keeper_fd >= 0)
		(void)!keeper_link_send(d->keeper_fd, &m, fds);
}

static void tell(struct daemon *d, const struct keeper_msg *m)
{
	/* Where the message is lost with the keeper, the next keeper is told all anew. */
	if (d->keeper_fd >= 0)
		(void)!keeper_link_send(d->keeper_fd, m, NULL);
}

void keeper_side_start_spu(struct daemon *d, const struct config_spu *spu)
{
	struct keeper_msg m = {
		.kind = KEEPER_START_SPU, .slot = spu->slot, .fpc = spu->fpc, .pic = spu->pic
	};

	tell(d, &m);
}

void keeper_side_stop_spu(struct daemon *d, uint8_t slot)
{
	struct keeper_msg m = { .kind = KEEPER_STOP_SPU, .slot = slot };

	tell(d, &m);
}

void keeper_side_stop(struct daemon *d)
{
	if (d->keeper_polled)
		uv_close((uv_handle_t *)&d->keeper_poll, NULL);
	uv_close((uv_handle_t *)&d->keeper_timer, NULL);
	if (d->keeper_fd >= 0)
		close(d->keeper_fd);
	keeper_fds_close(&d->fds);
}
