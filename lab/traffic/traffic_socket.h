/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets, clocks and the wish to end, for the modes of hawser-traffic. Main thread. */
#ifndef TRAFFIC_SOCKET_H
#define TRAFFIC_SOCKET_H
#include "traffic_options.h"
#include <stdbool.h>

/* Nanoseconds of CLOCK_MONOTONIC (for pacing) and CLOCK_REALTIME (in packets and reports). */
uint64_t traffic_mono_ns(void);
uint64_t traffic_real_ns(void);

/* A descriptor that is readable once SIGTERM or SIGINT came. */
enum err traffic_stop_open(int *ret_fd, struct why *why) MUST_CHECK;

/* Sleeps until fd (or -1) is readable, the wish to end came, or the time is up. True: end. */
bool traffic_wait(int stop_fd, int fd, uint64_t timeout_ns);

/* A socket of this type, bound to an address: SO_REUSEADDR, large buffers. */
enum err traffic_socket_bound(int type, const struct traffic_address *at, int *ret_fd,
                              struct why *why) MUST_CHECK;

/* One UDP socket to send from: source address and port of this flow, and what --df says. */
enum err traffic_socket_sender(const struct traffic_options *o, uint64_t flow, int *ret_fd,
                               struct why *why) MUST_CHECK;

/* The modes; each prints its report, one JSON object, on standard output. */
enum err udp_send(const struct traffic_options *o, struct why *why) MUST_CHECK;
enum err udp_receive(const struct traffic_options *o, struct why *why) MUST_CHECK;
enum err tcp_send(const struct traffic_options *o, struct why *why) MUST_CHECK;
enum err tcp_receive(const struct traffic_options *o, struct why *why) MUST_CHECK;

#endif
