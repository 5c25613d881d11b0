/* SPDX-License-Identifier: BSD-2-Clause */
/* Two real cores, driven message by message. The ladder is drawn beside the calls: node 0 (I) on
 * the left is the initiator unless something else is said; pass() delivers the oldest message. */
#ifndef LADDER_H
#define LADDER_H
#include "ike_priv.h"
#include "world.h"

#include <check.h>

#define I (&w.node[0])
#define R (&w.node[1])

extern struct world w;
extern struct world_conf c[2];

/* The fixture: a world whose messages wait, and two configurations that fit. */
void ladder_up(void);
void ladder_down(void);
void start(void);
/* Delivers the oldest message; it must be of this exchange, an answer or not. */
void pass(uint8_t exchange, bool response);
void pass_init(void);
/* From nothing to a tunnel: four messages. */
void pass_all(void);
/* A datagram as if it came by this packet's way. */
void hand_over(struct node *n, const struct packet *p, const uint8_t *bytes, size_t len);
/* The node loses what its store had. */
void lose_store(struct node *n);

struct ike_sa *only(struct node *n);
struct child_sa *child_of(struct node *n); /* its first */
void tunnel_is_up(void);
void nothing_is_left(struct node *n);

#endif
