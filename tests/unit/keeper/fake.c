// SPDX-License-Identifier: BSD-2-Clause
/* Stands in for hawser-re and hawser-spu in the keeper's tests: does what they do on the link and
 * in shared memory, nothing else. What it is to do wrong is said by files in RUNDIR. */
#include "alive_words.h"
#include "keeper_link.h"
#include "node_shm.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fake {
	const char *rundir;
	int link;
	struct keeper_fds fds;
	struct node_shm *shm;
	_Atomic uint64_t *alive;
} f = { .link = -1 };

static const char *path_in(const char *name, int slot)
{
	static char path[512];

	if (slot < 0)
		(void)snprintf(path, sizeof(path), "%s/%s", f.rundir, name);
	else
		(void)snprintf(path, sizeof(path), "%s/%s-%d", f.rundir, name, slot);
	return path;
}

static bool asked(const char *name, int slot)
{
	return access(path_in(name, slot), F_OK) == 0;
}

__attribute__((format(printf, 1, 2))) static void note(const char *fmt, ...)
{
	FILE *log = fopen(path_in("fake.log", -1), "a");
	va_list ap;

	if (log == NULL)
		return;
	va_start(ap, fmt);
	(void)vfprintf(log, fmt, ap);
	va_end(ap);
	(void)fclose(log);
}

static bool greet(enum keeper_kind kind, int slot)
{
	struct why why = { "" };

	if (keeper_link_connect(f.rundir, &f.link, &why) != ERR_OK)
		return false;
	if (keeper_link_hello(f.link, kind, slot, &f.fds, 2000, &why) == ERR_OK)
		return true;
	note("hello failed: %s\n", why.text);
	(void)close(f.link);
	f.link = -1;
	return false;
}

static void start(enum keeper_kind kind, int slot)
{
	while (!greet(kind, slot))
		(void)usleep(20000);
	if (node_shm_map(keeper_fds_find(&f.fds, KEEPER_FD_NODE, KEEPER_NO_SLOT), &f.shm, NULL) !=
	    ERR_OK)
		exit(4);
	if (proc_slot_take(slot < 0 ? &f.shm->re : &f.shm->spu[slot].proc) != ERR_OK)
		exit(5);
}

/* One message that is waiting, or false. */
static bool next_message(struct keeper_msg *m)
{
	int fds[KEEPER_MSG_FDS];
	enum err e = f.link < 0 ? ERR_CLOSED : keeper_link_recv(f.link, m, fds);

	if (e == ERR_OK && m->kind == KEEPER_TAKE)
		for (uint32_t i = 0; i < m->n; i++)
			if (keeper_fds_put(&f.fds, &m->at[i], fds[i]) != ERR_OK)
				exit(6);
	if (e == ERR_OK || e == ERR_AGAIN)
		return e == ERR_OK;
	if (f.link >= 0)
		(void)close(f.link);
	f.link = -1;
	return false;
}

static int be_an_spu(int slot)
{
	struct keeper_msg m;

	if (asked("die", slot))
		return 3;
	start(KEEPER_HELLO_SPU, slot);
	if (atomic_load(&f.shm->spu[slot].state) != SPU_ABSENT)
		return 4; /* the predecessor's last word is taken for ours */
	atomic_store(&f.shm->spu[slot].state, SPU_ACTIVE);
	for (;;) {
		if (!asked("hang", slot))
			atomic_fetch_add(&f.shm->spu[slot].progress, 1);
		if (f.link < 0)
			(void)greet(KEEPER_HELLO_SPU, slot);
		while (next_message(&m))
			;
		(void)usleep(10000);
	}
}

/* The alive array: a file in place of a BPF map; the keeper maps either. */
static void have_alive(void)
{
	struct keeper_msg m = { .kind = KEEPER_GIVE, .slot = KEEPER_NO_SLOT, .n = 1 };
	int fd = keeper_fds_find(&f.fds, ALIVE_MAP_NAME, KEEPER_NO_SLOT);

	note("%s alive\n", fd < 0 ? "made" : "was given");
	if (fd < 0) {
		m.at[0] = keeper_name(ALIVE_MAP_NAME, KEEPER_NO_SLOT, 5);
		fd = open(path_in("alive", -1), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || ftruncate(fd, 4096) != 0 ||
		    keeper_link_send(f.link, &m, &fd) != ERR_OK ||
		    keeper_fds_put(&f.fds, &m.at[0], fd) != ERR_OK)
			exit(7);
	}
	f.alive = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static void ask_for_spus(void)
{
	for (int slot = 0; slot < 2; slot++) {
		struct keeper_msg m = { .kind = KEEPER_START_SPU, .slot = slot };

		if (keeper_link_send(f.link, &m, NULL) != ERR_OK)
			note("cannot ask\n");
	}
}

static void say_sockets(void)
{
	static const char *const names[] = { KEEPER_FD_IKE4_500, KEEPER_FD_IKE4_4500,
		                             KEEPER_FD_IKE6_500, KEEPER_FD_IKE6_4500 };
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (fstat(keeper_fds_find(&f.fds, names[i], KEEPER_NO_SLOT), &st) == 0)
			note("socket %s %lu\n", names[i], st.st_ino);
}

static void look_at_spus(void)
{
	for (int slot = 0; slot < 2; slot++)
		if (proc_slot_alive(&f.shm->spu[slot].proc) &&
		    atomic_load(&f.shm->spu[slot].state) == SPU_ACTIVE)
			atomic_store(&f.alive[slot], 1);
	if (asked("stop-spu", -1)) {
		struct keeper_msg m = { .kind = KEEPER_STOP_SPU, .slot = 1 };

		(void)unlink(path_in("stop-spu", -1));
		if (keeper_link_send(f.link, &m, NULL) != ERR_OK)
			note("cannot stop\n");
	}
}

static const char *const kinds[KEEPER_KINDS] = {
	[KEEPER_TAKE] = "TAKE",       [KEEPER_READY] = "READY",   [KEEPER_SPU_STARTED] = "STARTED",
	[KEEPER_SPU_DIED] = "DIED",   [KEEPER_SPU_HUNG] = "HUNG", [KEEPER_SPU_STOPPED] = "STOPPED",
	[KEEPER_REFUSED] = "REFUSED",
};

static int be_the_re(void)
{
	struct keeper_msg m;

	if (asked("re-dies", -1))
		return 3;
	start(KEEPER_HELLO_RE, KEEPER_NO_SLOT);
	have_alive();
	say_sockets();
	ask_for_spus();
	for (;;) {
		while (next_message(&m))
			note("%s slot %d pid %u value %u\n", kinds[m.kind], m.slot, m.pid, m.value);
		if (f.link < 0 && greet(KEEPER_HELLO_RE, KEEPER_NO_SLOT)) {
			note("connected again\n");
			ask_for_spus();
		}
		look_at_spus();
		(void)usleep(5000);
	}
}

int main(int argc, char **argv)
{
	int slot = -1;
	bool remove = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-d") == 0 && i + 1 < argc)
			f.rundir = argv[++i];
		else if (strcmp(argv[i], "--slot") == 0 && i + 1 < argc)
			slot = (int)strtol(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--remove") == 0)
			remove = true;
	}
	if (f.rundir == NULL)
		return 2;
	if (remove) {
		note("removed\n");
		(void)unlink(path_in("alive", -1));
		return 0;
	}
	return slot < 0 ? be_the_re() : be_an_spu(slot);
}
