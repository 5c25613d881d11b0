/* SPDX-License-Identifier: BSD-2-Clause */
/* A whole hawser-spu, as the keeper starts it, in a network namespace of the test's own:
 *
 *     test (keeper and routing engine)                    hawser-spu
 *       AF_PACKET -- w0 ======= w1 (XDP to the xskmap) -- wire port
 *       AF_PACKET -- f0 ======= f1 (XDP to the xskmap) -- fabric port
 */
#ifndef LIVE_H
#define LIVE_H
#include "keeper_link.h"
#include "node_shm.h"
#include "runner.h"
#include "sa_runtime.h"
#include "store.h"

#include <sys/types.h>

enum live_side { LIVE_WIRE, LIVE_FABRIC, LIVE_SIDES };
enum { LIVE_FRAME = 4096, LIVE_SLOT = 2 };

struct live {
	char dir[64];
	pid_t pid;
	int listen, link; /* the keeper's */
	struct keeper_fds fds;
	struct node_shm *node;
	struct spu_slot *spu;
	struct sa_runtime_table runtime;
	struct store *store;
	int to_spu, to_re; /* borrowed from fds */
	int xskmap[LIVE_SIDES], prog[LIVE_SIDES], packet[LIVE_SIDES];
};

/* Makes all of it, records first; the SPU is not started yet. */
struct live *live_new(const char *profile);
void live_start(struct live *l);
/* Accepts the SPU's connection and gives it everything. Returns how many it gave to us. */
size_t live_serve(struct live *l);
/* Waits until the condition holds, at most 10 s. */
#define LIVE_WAIT(what, condition)                                        \
	do {                                                              \
		int left_ = 1000;                                         \
		while (!(condition) && left_-- > 0)                       \
			(void)usleep(10000);                              \
		ck_assert_msg((condition), "%s: not after 10 s", (what)); \
	} while (0)
void live_wait_ready(struct live *l);
/* Ends the SPU by the signal; returns its wait status. */
int live_stop(struct live *l, int number);
void live_free(struct live *l);

/* Writes one record, wakes the SPU, and waits until it is applied. */
struct ProtobufCMessage;
void live_put(struct live *l, struct record_key key, const struct ProtobufCMessage *m);
void live_del(struct live *l, struct record_key key);

struct fabric_hdr;
void live_send(struct live *l, enum live_side side, const struct fabric_hdr *meta, const void *ip,
               size_t len);
/* The next frame with a fabric header of this kind, at most 5 s. Returns its IP bytes' length; 0:
 * none came. */
size_t live_receive(struct live *l, enum live_side side, uint8_t kind, uint8_t *ret_ip);

#endif
