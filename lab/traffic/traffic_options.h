/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of hawser-traffic: one table of options, each with its range. Main thread. */
#ifndef TRAFFIC_OPTIONS_H
#define TRAFFIC_OPTIONS_H
#include "errors.h"
#include <stdio.h>
#include <stdint.h>
#include <sys/socket.h>

#define TRAFFIC_COUNT_MAX ((uint64_t)1 << 26)
#define TRAFFIC_FLOWS_MAX 64u

struct traffic_address {
	struct sockaddr_storage ss; /* ss_family is AF_UNSPEC where none was given */
	socklen_t len;
};

struct traffic_options {
	struct traffic_address to, from, bind;
	uint64_t port, source_port, size, pps, count, duration_s, flows, run, progress_ms, bytes,
	        df;
};

/* Reads the words after the mode. why names the word that is wrong. */
enum err traffic_options_read(int argc, char **argv, struct traffic_options *ret,
                              struct why *why) MUST_CHECK;

/* Prints the options with their ranges and defaults. */
void traffic_options_help(FILE *f);

/* Puts a port into an address. */
void traffic_address_port(struct traffic_address *a, uint16_t port);

#endif
