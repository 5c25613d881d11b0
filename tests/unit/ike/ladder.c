// SPDX-License-Identifier: BSD-2-Clause
#include "ladder.h"

#include <stdlib.h>

struct world w;
struct world_conf c[2];

void ladder_up(void)
{
	world_init(&w, 42);
	w.manual = true;
	world_conf(&w, 0, &c[0]);
	world_conf(&w, 1, &c[1]);
}

void ladder_down(void)
{
	world_done(&w);
}

void start(void)
{
	node_start(R, &c[1].conf);
	node_start(I, &c[0].conf);
	world_jobs(&w);
}

void pass(uint8_t exchange, bool response)
{
	ck_assert_msg(w.packets != 0, "nothing was sent");
	ck_assert_uint_eq(w.packet[0].bytes[18], exchange);
	ck_assert_int_eq((w.packet[0].bytes[19] & IKE_FLAG_RESPONSE) != 0, response);
	world_deliver(&w, 0);
}

void pass_init(void)
{
	pass(EX_IKE_SA_INIT, false); /* ---> */
	pass(EX_IKE_SA_INIT, true);  /* <--- */
}

void pass_all(void)
{
	start();
	pass_init();
	pass(EX_IKE_AUTH, false); /* ---> */
	pass(EX_IKE_AUTH, true);  /* <--- */
}

void hand_over(struct node *n, const struct packet *p, const uint8_t *bytes, size_t len)
{
	struct effects fx = { 0 };

	ike_datagram(n->ike, &p->to, &p->from, (struct view){ bytes, len }, &fx);
	node_run(n, &fx);
	world_jobs(&w);
}

void lose_store(struct node *n)
{
	for (size_t i = n->stored; i; i--)
		free(n->store[i - 1].body);
	n->stored = 0;
}

struct ike_sa *only(struct node *n)
{
	ck_assert(!list_empty(&n->ike->sas));
	ck_assert_ptr_eq(n->ike->sas.next, n->ike->sas.prev);
	return ike_sa_at(n->ike->sas.next);
}

struct child_sa *child_of(struct node *n)
{
	ck_assert(!list_empty(&only(n)->children));
	return child_sa_at(only(n)->children.next);
}

void tunnel_is_up(void)
{
	ck_assert_msg(world_disagree(&w) == NULL, "both ends differ in %s", world_disagree(&w));
	ck_assert_uint_eq(node_children(I), 1);
	ck_assert_uint_eq(node_children(R), 1);
	ck_assert_int_eq(only(I)->state, IKE_UP);
	ck_assert_int_eq(only(R)->state, IKE_UP);
}

void nothing_is_left(struct node *n)
{
	ck_assert_uint_eq(node_children(n), 0);
	ck_assert_uint_eq(node_ike_sas(n), 0);
	ck_assert_uint_eq(node_slots(n), 0);
}
