// SPDX-License-Identifier: BSD-2-Clause
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/hawser/hawser.conf"
#define REMOVE_MS 20000
#define DEFAULT_RUNDIR "/run/hawser"
#define SOCKET_TRIES 30
#define SOCKET_AGAIN_US 100000

uint64_t keeper_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void keeper_event(struct keeper *k, enum event_id event, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_event(&k->log, keeper_now_ms(), event, "%s", text);
}

static void usage(FILE *to)
{
	fputs("usage: hawserd [-f CONFIG] [-d RUNDIR] [--node 0|1]\n"
	      "SIGTERM ends the gateway and removes its data plane; SIGUSR2 ends hawserd alone;\n"
	      "SIGHUP reads CONFIG again.\n",
	      to);
}

static bool parse(int argc, char **argv, struct keeper_options *o)
{
	static const struct option longs[] = { { "node", required_argument, NULL, 'n' },
		                               { "help", no_argument, NULL, 'h' },
		                               { 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "f:d:h", longs, NULL)) != -1) {
		switch (c) {
		case 'f':
			o->config = optarg;
			break;
		case 'd':
			o->rundir = optarg;
			break;
		case 'n':
			if (strcmp(optarg, "0") != 0 && strcmp(optarg, "1") != 0)
				return false;
			o->node = optarg;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			return false;
		}
	}
	/* Room for the longest name in it, of the sockets above all. */
	return optind == argc && strlen(o->rundir) < 80;
}

/* ---- start --------------------------------------------------------------------------------- */

static enum err lock_rundir(struct keeper *k, struct why *why)
{
	char path[160];

	if (mkdir(k->options.rundir, 0700) && errno != EEXIST)
		return why_set(why, err_from_errno(errno), "%s: %s", k->options.rundir,
		               strerror(errno));
	(void)snprintf(path, sizeof(path), "%s/keeper.lock", k->options.rundir);
	k->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (k->lock_fd < 0)
		return why_set(why, err_from_errno(errno), "%s: %s", path, strerror(errno));
	if (flock(k->lock_fd, LOCK_EX | LOCK_NB))
		return why_set(why, ERR_BUSY, "%s: another hawserd runs there", k->options.rundir);
	return ERR_OK;
}

static enum err take_signals(struct keeper *k)
{
	sigset_t set;

	sigemptyset(&set);
	for (const int *s = (const int[]){ SIGTERM, SIGINT, SIGUSR2, SIGHUP, SIGCHLD, 0 }; *s; s++)
		sigaddset(&set, *s);
	sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	k->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	k->notice_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return k->signal_fd < 0 || k->notice_fd < 0 ? err_from_errno(errno) : ERR_OK;
}

static void init_children(struct keeper *k)
{
	struct node_shm *shm = k->holdings.shm;

	child_init(&k->re, "hawser-re", KEEPER_NO_SLOT, &shm->re, k->notice_fd);
	for (int32_t slot = 0; slot < SPU_SLOTS; slot++)
		child_init(&k->spu[slot], "hawser-spu", slot, &shm->spu[slot].proc, k->notice_fd);
	for (size_t i = 0; i < KEEPER_CLIENTS; i++)
		k->client[i].fd = -1;
}

/* A process that is dying just now may still have the ports. */
static enum err open_sockets(struct keeper *k, struct why *why)
{
	enum err e = ERR_BUSY;

	for (int i = 0; i < SOCKET_TRIES && e == ERR_BUSY; i++) {
		e = holdings_open_sockets(&k->holdings, why);
		if (e == ERR_BUSY)
			(void)usleep(SOCKET_AGAIN_US);
	}
	k->sockets_open = e == ERR_OK;
	return e;
}

/* Those of an earlier keeper are watched from the first moment; they come by themselves, and give
 * back what they have. */
static void adopt(struct child *c, uint64_t now)
{
	if (proc_slot_alive(c->proc))
		child_watch(c, c->proc->pid, NULL, now);
}

static enum err start(struct keeper *k, struct why *why)
{
	uint64_t now = keeper_now_ms();

	TRY(lock_rundir(k, why));
	TRY(take_signals(k));
	TRY(holdings_open(&k->holdings, k->options.rundir, why));
	init_children(k);
	if (proc_slot_take(&k->holdings.shm->keeper))
		return why_set(why, ERR_BUSY, "%s: another hawserd runs there", k->options.rundir);
	TRY(keeper_link_listen(k->options.rundir, &k->listen_fd, why));
	adopt(&k->re, now);
	for (int slot = 0; slot < SPU_SLOTS; slot++)
		adopt(&k->spu[slot], now);
	if (k->re.pid != 0)
		return ERR_OK;
	TRY(open_sockets(k, why));
	holdings_find_bpf(&k->holdings);
	keeper_share_alive(k);
	keeper_start_re(k);
	return ERR_OK;
}

/* ---- run ----------------------------------------------------------------------------------- */

static void on_signal(struct keeper *k)
{
	struct signalfd_siginfo s;

	while (read(k->signal_fd, &s, sizeof(s)) == sizeof(s)) {
		if (s.ssi_signo == SIGTERM || s.ssi_signo == SIGINT)
			keeper_begin_end(k);
		else if (s.ssi_signo == SIGUSR2)
			exit(0); /* alone: children and data plane go on */
		else if (s.ssi_signo == SIGHUP)
			child_kill(&k->re, SIGHUP);
	}
}

static void serve_once(struct keeper *k)
{
	struct pollfd p[3 + KEEPER_CLIENTS] = { { k->listen_fd, POLLIN, 0 },
		                                { k->notice_fd, POLLIN, 0 },
		                                { k->signal_fd, POLLIN, 0 } };
	eventfd_t n;

	for (size_t i = 0; i < KEEPER_CLIENTS; i++)
		p[3 + i] = (struct pollfd){ k->client[i].fd, POLLIN, 0 };
	if (poll(p, ARRAY_LEN(p), KEEPER_TICK_MS) > 0) {
		if (p[1].revents)
			(void)!eventfd_read(k->notice_fd, &n);
		if (p[2].revents)
			on_signal(k);
		for (size_t i = 0; i < KEEPER_CLIENTS; i++)
			if (p[3 + i].revents && k->client[i].fd == p[3 + i].fd)
				keeper_serve(k, &k->client[i]);
		if (p[0].revents)
			keeper_accept(k);
	}
	keeper_look(k);
}

/* ---- end ----------------------------------------------------------------------------------- */

static void remove_data_plane(struct keeper *k)
{
	char *argv[] = { (char *)(uintptr_t) "hawser-re", (char *)(uintptr_t) "--remove",
		         (char *)(uintptr_t) "-d", (char *)(uintptr_t)k->options.rundir, NULL };
	int status = 0;

	if (child_start(&k->re, argv, keeper_now_ms()))
		return;
	/* Links go in milliseconds; the kernel may take some seconds when it is busy. */
	for (int i = 0; waitpid((pid_t)k->re.pid, &status, WNOHANG) == 0; i++) {
		if (i == REMOVE_MS / 10)
			child_kill(&k->re, SIGKILL);
		usleep(10000);
	}
	if (status)
		fprintf(stderr, "hawserd: the data plane could not be removed whole\n");
}

static void remove_files(struct keeper *k)
{
	static const char *const files[] = { "node",        "runtime",        "cli.sock",
		                             "keeper.sock", "config",         "re.key",
		                             "sysctl",      "store/data.mdb", "store/lock.mdb",
		                             "keeper.lock" };
	char path[192];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", k->options.rundir, files[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s/store", k->options.rundir);
	(void)rmdir(path);
	(void)rmdir(k->options.rundir); /* stays when somebody else has something in it */
}

int main(int argc, char **argv)
{
	static struct keeper k = { .options = { DEFAULT_CONFIG, DEFAULT_RUNDIR, "0" } };
	struct why why = { "" };

	if (!parse(argc, argv, &k.options)) {
		usage(stderr);
		return 2;
	}
	log_init(&k.log, STDERR_FILENO, LOG_INFO);
	enum err e = start(&k, &why);
	if (e) {
		fprintf(stderr, "hawserd: %s\n", why.text[0] ? why.text : err_text(e));
		return 1;
	}
	keeper_event(&k, EVENT_KEEPER_UP, "%s", k.options.rundir);
	while (k.phase != KEEPER_ENDED)
		serve_once(&k);
	remove_data_plane(&k);
	remove_files(&k);
	return k.status;
}
