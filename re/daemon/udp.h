/* SPDX-License-Identifier: BSD-2-Clause */
/* The IKE sockets (UDP 500 and 4500, both families), which the keeper opened and outlive us.
 *
 * They are bound to the wildcard address: the local address of each message comes and goes as
 * packet information. On port 4500 IKE carries the non-ESP marker (RFC 3948 2.2), which is put on
 * and taken off here; ESP that reaches the socket (reassembled by the kernel) has a function of
 * its own; keepalives are counted. The event loop's thread. */
#ifndef UDP_H
#define UDP_H
#include "addr.h"
#include "effects.h"
#include "errors.h"
#include "reader.h"
#include <uv.h>

enum { UDP_V4_500, UDP_V4_4500, UDP_V6_500, UDP_V6_4500, UDP_SOCKETS };

struct udp;

/* Messages that were received by one call; they live for the call of fn. */
typedef void (*udp_fn)(void *ctx, const struct datagram *p, size_t n);

/* Called for each datagram on port 4500 that is ESP. */
typedef void (*udp_esp_fn)(void *ctx, const struct endpoint *local, const struct endpoint *remote,
                           struct view esp);

struct udp_stats {
	uint64_t received, sent, keepalives, esp, send_failed;
};

/* Takes over the sockets (fd[i] < 0: there is none, as without IPv6) and hands what came to fn,
 * and what is ESP to esp_fn. */
enum err udp_open(uv_loop_t *loop, const int fd[UDP_SOCKETS], udp_fn fn, udp_esp_fn esp_fn,
                  void *ctx, struct udp **ret, struct why *why) MUST_CHECK;
/* Stops; closes the sockets (the keeper has its own descriptors of them). Handles end with the
 * loop. */
void udp_close(struct udp *u);

/* Sends from local (port 500 or 4500) to remote, when udp_flush() is called or the queue is full:
 * at the end of each turn. Failures are counted: IKE sends again. */
void udp_send(struct udp *u, const struct endpoint *local, const struct endpoint *remote,
              struct view bytes);
void udp_flush(struct udp *u);

const struct udp_stats *udp_stats(const struct udp *u);

#endif
