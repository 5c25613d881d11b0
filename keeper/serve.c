// SPDX-License-Identifier: BSD-2-Clause
/* The keeper's side of the link: who connects gives what it has, and gets what it lacks. */
#include "keeper.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void keeper_close_client(struct keeper_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->gave_n = 0;
	c->greeted = c->is_re = false;
}

struct keeper_client *keeper_re_client(struct keeper *k)
{
	for (size_t i = 0; i < KEEPER_CLIENTS; i++)
		if (k->client[i].fd >= 0 && k->client[i].greeted && k->client[i].is_re)
			return &k->client[i];
	return NULL;
}

void keeper_accept(struct keeper *k)
{
	uint32_t pid;
	int fd;

	while (keeper_link_accept(k->listen_fd, &fd, &pid) == ERR_OK) {
		struct keeper_client *c = NULL;

		for (size_t i = 0; i < KEEPER_CLIENTS && c == NULL; i++)
			if (k->client[i].fd < 0)
				c = &k->client[i];
		if (c == NULL) {
			close(fd);
			continue;
		}
		*c = (struct keeper_client){ .fd = fd, .pid = pid, .slot = KEEPER_NO_SLOT };
	}
}

/* Where the other side does not read or is gone, its connection ends; it will come again. */
static bool send_to(struct keeper_client *c, const struct keeper_msg *m)
{
	if (keeper_link_send(c->fd, m, NULL) == ERR_OK)
		return true;
	keeper_close_client(c);
	return false;
}

void keeper_tell_re(struct keeper *k, enum keeper_kind kind, const struct child *spu,
                    uint32_t value)
{
	struct keeper_client *re = keeper_re_client(k);
	struct keeper_msg m = { .kind = kind, .slot = spu->slot, .pid = spu->pid, .value = value };

	if (re)
		(void)send_to(re, &m);
}

static void refuse(struct keeper_client *c, enum err e, const char *text)
{
	struct keeper_msg m = { .kind = KEEPER_REFUSED,
		                .slot = KEEPER_NO_SLOT,
		                .value = (uint32_t)e };

	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	(void)send_to(c, &m);
}

/* ---- greeting ------------------------------------------------------------------------------ */

static bool same_name(const struct keeper_name *a, const struct keeper_name *b)
{
	return a->slot == b->slot && strcmp(a->name, b->name) == 0;
}

static bool spu_needs(const struct keeper_name *n, int32_t slot)
{
	static const char *const common[] = { KEEPER_FD_NODE, KEEPER_FD_RUNTIME, "wire_socks",
		                              "fabric_socks" };

	if (n->slot != KEEPER_NO_SLOT)
		return n->slot == slot;
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (strcmp(common[i], n->name) == 0)
			return true;
	return false;
}

static bool skip(const void *ctx, const struct keeper_name *n)
{
	const struct keeper_client *c = ctx;

	for (size_t i = 0; i < c->gave_n; i++)
		if (same_name(&c->gave[i], n))
			return true;
	return !c->is_re && !spu_needs(n, c->slot);
}

void keeper_share_alive(struct keeper *k)
{
	for (int32_t slot = 0; slot < SPU_SLOTS && k->holdings.alive; slot++)
		child_set_alive(&k->spu[slot], &k->holdings.alive[slot]);
}

static void on_give(struct keeper *k, struct keeper_client *c, const struct keeper_msg *m,
                    const int *fds)
{
	for (uint32_t i = 0; i < m->n && c->gave_n < KEEPER_FDS_MAX; i++)
		c->gave[c->gave_n++] = m->at[i];
	holdings_take(&k->holdings, m, fds);
	keeper_share_alive(k);
}

static void on_given(struct keeper *k, struct keeper_client *c)
{
	struct keeper_msg ready = { .kind = KEEPER_READY, .slot = KEEPER_NO_SLOT };
	struct why why = { "" };

	if (c->is_re && !k->sockets_open) {
		k->sockets_open = true;
		if (holdings_open_sockets(&k->holdings, &why)) {
			fprintf(stderr, "hawserd: %s\n", why.text);
			k->status = 1;
			keeper_begin_end(k);
		}
	}
	c->greeted = true;
	if (keeper_link_send_set(c->fd, KEEPER_TAKE, &k->holdings.fds, skip, c))
		keeper_close_client(c);
	else
		(void)send_to(c, &ready);
}

static void on_hello(struct keeper *k, struct keeper_client *c, const struct keeper_msg *m)
{
	_Atomic uint64_t *alive = k->holdings.alive;

	c->is_re = m->kind == KEEPER_HELLO_RE;
	if (c->is_re) {
		c->slot = KEEPER_NO_SLOT;
		child_watch(&k->re, c->pid, NULL, keeper_now_ms());
		return;
	}
	if (m->slot < 0 || m->slot >= SPU_SLOTS) {
		keeper_close_client(c);
		return;
	}
	c->slot = m->slot;
	(void)!holdings_open_events(&k->holdings, m->slot);
	child_watch(&k->spu[m->slot], c->pid, alive ? &alive[m->slot] : NULL, keeper_now_ms());
}

/* ---- the routing engine's wishes ----------------------------------------------------------- */

static void on_start_spu(struct keeper *k, struct keeper_client *c, int32_t slot)
{
	struct keeper_msg events = { .kind = KEEPER_TAKE, .slot = KEEPER_NO_SLOT, .n = 2 };
	struct child *spu = &k->spu[slot];
	int fds[2];

	if (holdings_open_events(&k->holdings, slot)) {
		refuse(c, ERR_FULL, "no eventfd for the SPU");
		return;
	}
	events.at[0] = keeper_name(KEEPER_FD_TO_SPU, slot, KEEPER_NO_NUMBER);
	events.at[1] = keeper_name(KEEPER_FD_TO_RE, slot, KEEPER_NO_NUMBER);
	for (int i = 0; i < 2; i++)
		fds[i] = keeper_fds_find(&k->holdings.fds, events.at[i].name, slot);
	/* One that has it already keeps the one it has: the same eventfd. */
	if (!skip(c, &events.at[0]) && keeper_link_send(c->fd, &events, fds)) {
		keeper_close_client(c);
		return;
	}
	for (int i = 0; i < 2 && c->gave_n < KEEPER_FDS_MAX && !skip(c, &events.at[i]); i++)
		c->gave[c->gave_n++] = events.at[i];
	spu->wanted = true;
	if (spu->pid)
		keeper_tell_re(k, KEEPER_SPU_STARTED, spu, 0);
	else if (spu->restart_ms == 0)
		keeper_start_spu(k, slot);
}

static void on_wish(struct keeper *k, struct keeper_client *c, const struct keeper_msg *m)
{
	if (!c->is_re || (m->kind != KEEPER_FORGET && (m->slot < 0 || m->slot >= SPU_SLOTS))) {
		refuse(c, ERR_DENIED, "only the routing engine may ask for this");
		return;
	}
	switch (m->kind) {
	case KEEPER_FORGET:
		for (uint32_t i = 0; i < m->n; i++)
			keeper_fds_drop(&k->holdings.fds, m->at[i].name, m->at[i].slot);
		break;
	case KEEPER_START_SPU:
		on_start_spu(k, c, m->slot);
		break;
	case KEEPER_STOP_SPU:
		child_stop(&k->spu[m->slot], keeper_now_ms(), m->value);
		if (k->spu[m->slot].pid == 0)
			keeper_tell_re(k, KEEPER_SPU_STOPPED, &k->spu[m->slot], 0);
		break;
	default:
		break;
	}
}

static void on_message(struct keeper *k, struct keeper_client *c, const struct keeper_msg *m,
                       const int *fds)
{
	switch (m->kind) {
	case KEEPER_HELLO_RE:
	case KEEPER_HELLO_SPU:
		on_hello(k, c, m);
		break;
	case KEEPER_GIVE:
		on_give(k, c, m, fds);
		break;
	case KEEPER_GIVEN:
		on_given(k, c);
		break;
	default:
		on_wish(k, c, m);
		break;
	}
}

static bool has_descriptors(const struct keeper_msg *m)
{
	return m->kind == KEEPER_GIVE || m->kind == KEEPER_TAKE;
}

void keeper_serve(struct keeper *k, struct keeper_client *c)
{
	struct keeper_msg m;
	int fds[KEEPER_MSG_FDS];

	while (c->fd >= 0) {
		enum err e = keeper_link_recv(c->fd, &m, fds);

		if (e == ERR_AGAIN)
			return;
		if (e) {
			keeper_close_client(c);
			return;
		}
		if (m.kind == KEEPER_TAKE) /* not for us to take */
			for (uint32_t i = 0; i < m.n && has_descriptors(&m); i++)
				close(fds[i]);
		else
			on_message(k, c, &m, fds);
	}
}
