// SPDX-License-Identifier: BSD-2-Clause
#include "ike_cookie.h"
#include "ike_message.h"
#include "secret.h"
#include "siphash.h"
#include "writer.h"

enum { NONCE_ROOM = 256 };

static void draw(struct ike_cookies *c, struct env *env)
{
	c->version++;
	env->random(env, c->secret[c->version % 2], COOKIE_SECRET_LEN);
}

static void change(struct ike_cookies *c, struct env *env)
{
	uint64_t now = env->now_ms(env);

	if (now < c->until_ms)
		return;
	if (now >= c->until_ms + COOKIE_PERIOD_MS) /* the older one is out of date too */
		draw(c, env);
	draw(c, env);
	c->until_ms = now + COOKIE_PERIOD_MS;
}

/* The version, then two halves of 64 bits, each under half of the secret. */
static void make(const struct ike_cookies *c, uint8_t version, const struct ike_cookie_of *of,
                 uint8_t ret[COOKIE_LEN])
{
	uint8_t bytes[8 + 1 + 16 + NONCE_ROOM];
	struct writer w = wr_of(bytes, sizeof(bytes)), out = wr_of(ret, COOKIE_LEN);
	const uint8_t *secret = c->secret[version % 2];

	wr_bytes(&w, of->spi_i, 8);
	wr_u8(&w, (uint8_t)of->from->family);
	wr_bytes(&w, of->from->b, addr_len(of->from));
	wr_bytes(&w, of->nonce.p, of->nonce.len < NONCE_ROOM ? of->nonce.len : NONCE_ROOM);
	wr_u8(&out, version);
	for (size_t i = 0; i < 2; i++) {
		uint64_t h = siphash(secret + 16 * i, bytes, wr_len(&w));

		wr_u32(&out, (uint32_t)(h >> 32));
		wr_u32(&out, (uint32_t)h);
	}
}

void ike_cookie_make(struct ike_cookies *c, struct env *env, const struct ike_cookie_of *of,
                     uint8_t ret[COOKIE_LEN])
{
	change(c, env);
	make(c, c->version, of, ret);
}

bool ike_cookie_holds(struct ike_cookies *c, struct env *env, const struct ike_cookie_of *of,
                      struct view cookie)
{
	uint8_t want[COOKIE_LEN];

	change(c, env);
	if (cookie.len != COOKIE_LEN || (uint8_t)(c->version - cookie.p[0]) > 1)
		return false;
	make(c, cookie.p[0], of, want);
	return secret_equal((struct view){ want, sizeof(want) }, cookie);
}
