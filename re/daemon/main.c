// SPDX-License-Identifier: BSD-2-Clause
/* hawser-re: the routing engine. Started by hawserd; --check and --remove by anybody. */
#include "daemon_priv.h"

#include "daemon.h"
#include "grammar.h"
#include "report.h"
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/hawser/hawser.conf"
#define DEFAULT_RUNDIR "/run/hawser"

enum mode { MODE_RUN, MODE_CHECK, MODE_REMOVE };

struct options {
	enum mode mode;
	const char *config, *rundir;
	unsigned node;
};

static void usage(FILE *to)
{
	fputs("usage: hawser-re [-f CONFIG] [-d RUNDIR] [--node 0|1]\n"
	      "       hawser-re --check [-f CONFIG]    only check the configuration\n"
	      "       hawser-re --remove [-d RUNDIR]   take the data plane away\n",
	      to);
}

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "check", no_argument, NULL, 'c' },
		                               { "remove", no_argument, NULL, 'r' },
		                               { "node", required_argument, NULL, 'n' },
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
		case 'c':
			o->mode = MODE_CHECK;
			break;
		case 'r':
			o->mode = MODE_REMOVE;
			break;
		case 'n':
			if (strcmp(optarg, "0") != 0 && strcmp(optarg, "1") != 0)
				return false;
			o->node = optarg[0] == '1';
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			return false;
		}
	}
	return optind == argc;
}

static int check(const char *file)
{
	AUTO(secret_free) struct secret *text = NULL;
	AUTO(config_free) struct config *c = NULL;
	struct config_report report;
	struct why why = { "" };
	char line[768];

	if (secret_read_file(file, GRAMMAR_FILE_MAX, &text, &why)) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	report_init(&report, file);
	enum err e = config_load(file, rd_of_view(secret_view(text)), &c, &report);
	for (size_t i = 0; i < report.messages; i++)
		fprintf(stderr, "%s\n", report_text(&report, i, line, sizeof(line)));
	if (report.errors)
		fprintf(stderr, "%s: %zu errors, nothing would be changed\n", file, report.errors);
	else if (!e)
		printf("%s: configuration check succeeds\n", file);
	report_done(&report);
	return e ? 1 : 0;
}

/* The steering is found by the ids in RUNDIR/node; where that is gone, links and switches still go.
 */
static int remove_all(const char *rundir)
{
	AUTO(steer_close) struct steer *steer = NULL;
	struct node_shm *shm = NULL;
	uint32_t ids[STEER_FDS] = { 0 };
	struct why why = { "" };
	char path[PATH_ROOM];

	(void)snprintf(path, sizeof(path), "%s/node", rundir);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0 && node_shm_map(fd, &shm, &why) == ERR_OK) {
		for (int i = 0; i < STEER_FDS; i++)
			ids[i] = shm->bpf_id[i] & ~NODE_BPF_PROG;
		if (steer_adopt_ids(ids, &steer, &why))
			fprintf(stderr, "hawser-re: %s\n", why.text);
		node_shm_unmap(shm);
	}
	if (fd >= 0)
		close(fd);
	(void)snprintf(path, sizeof(path), "%s/sysctl", rundir);
	if (dataplane_remove(steer, path, &why)) {
		fprintf(stderr, "hawser-re: %s\n", why.text);
		return 1;
	}
	return 0;
}

static int run(const struct options *o)
{
	static struct daemon whole;
	struct daemon *d = &whole;
	struct why why = { "" };

	(void)snprintf(d->rundir, sizeof(d->rundir), "%s", o->rundir);
	(void)snprintf(d->config_file, sizeof(d->config_file), "%s", o->config);
	d->env.node_id = (uint8_t)o->node;
	d->keeper_fd = -1;
	log_init(&d->log, STDERR_FILENO, LOG_INFO);
	enum err e = daemon_start(d, &why);
	if (e) {
		fprintf(stderr, "hawser-re: %s\n", why.text[0] ? why.text : err_text(e));
		return d->ike && d->config == NULL ? DAEMON_EXIT_CONFIG : 1;
	}
	return daemon_run(d);
}

int main(int argc, char **argv)
{
	struct options o = { .config = DEFAULT_CONFIG, .rundir = DEFAULT_RUNDIR };

	if (!parse(argc, argv, &o)) {
		usage(stderr);
		return 2;
	}
	switch (o.mode) {
	case MODE_CHECK:
		return check(o.config);
	case MODE_REMOVE:
		return remove_all(o.rundir);
	case MODE_RUN:
		break;
	}
	return run(&o);
}
