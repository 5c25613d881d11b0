// SPDX-License-Identifier: BSD-2-Clause
#include "knock.h"

uint8_t first[2048]; /* the initiator's IKE_SA_INIT */
size_t first_len;
struct packet way; /* how it comes */
uint32_t serial;

void lose_all(void)
{
	while (w.packets)
		world_lose(&w, 0);
}

void take(void)
{
	ck_assert_uint_eq(w.packets, 1);
	ck_assert_uint_le(w.packet[0].len, sizeof(first));
	first_len = w.packet[0].len;
	memcpy(first, w.packet[0].bytes, first_len);
	way = w.packet[0];
	world_lose(&w, 0);
}

/* Takes the initiator's first message, without delivering it. */
void take_first(void)
{
	start();
	take();
}

/* The same of an initiator that begins anew; the responder goes on. */
void take_another(void)
{
	node_die(I);
	lose_store(I);
	lose_all();
	node_start(I, &c[0].conf);
	world_jobs(&w);
	take();
}

void knock_with(const uint8_t *bytes, size_t len)
{
	hand_over(R, &way, bytes, len);
}

/* A stranger's first message; what it is answered stays in the last place. */
void knock(void)
{
	serial++;
	memcpy(first, &serial, sizeof(serial));
	way.from.addr = addr_v4(0x0a010000u + serial);
	lose_all();
	knock_with(first, first_len);
}

void knock_times(int n)
{
	while (n-- > 0)
		knock();
}

/* All addresses are the gateway's peers. */
void anybody(void)
{
	c[1].gateway.peers = 0;
}

/* The type of the only notify of a message in the clear, 0 where it begins with something else. */
unsigned notify_of(const struct packet *p)
{
	return p->bytes[16] == PL_NOTIFY ? (unsigned)(p->bytes[34] << 8 | p->bytes[35]) : 0;
}

/* The last message again, with the cookie that came back in front; `wrong` is added to its last
 * byte. */
void knock_with_cookie(uint8_t wrong)
{
	uint8_t bytes[2200];
	struct packet p = w.packet[0];
	size_t len = (size_t)(p.bytes[30] << 8 | p.bytes[31]);

	ck_assert_uint_eq(notify_of(&p), N_COOKIE);
	memcpy(bytes, first, 28);
	memcpy(bytes + 28, p.bytes + 28, len);
	memcpy(bytes + 28 + len, first + 28, first_len - 28);
	bytes[28] = first[16];
	bytes[16] = PL_NOTIFY;
	bytes[28 + len - 1] = (uint8_t)(bytes[28 + len - 1] + wrong);
	bytes[26] = (uint8_t)((first_len + len) >> 8);
	bytes[27] = (uint8_t)(first_len + len);
	lose_all();
	knock_with(bytes, first_len + len);
}

const struct ike_stats *stats(void)
{
	return &R->ike->stats;
}
