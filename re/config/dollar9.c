// SPDX-License-Identifier: BSD-2-Clause
#include "dollar9.h"

#include <string.h>

/* Four families of characters; one of family i is followed by 3 - i characters without meaning. */
static const char alphabet[] = "QzF3n6/9CAtpu0O"
                               "B1IREhcSyrleKvMW8LXx"
                               "7N-dVbwsY2g4oaJZGUDj"
                               "iHkq.mPf5T";
#define ALPHABET ((int)sizeof(alphabet) - 1)
static const int family_end[] = { 15, 35, 55, 65 };

/* How a byte is split: each gap between neighbouring characters counts so much. */
static const struct {
	int n;
	int weight[4];
} splits[] = {
	{ 3, { 1, 4, 32 } }, { 3, { 1, 16, 32 } },     { 3, { 1, 8, 32 } },  { 2, { 1, 64 } },
	{ 2, { 1, 32 } },    { 4, { 1, 4, 16, 128 } }, { 3, { 1, 32, 64 } },
};

#define PREFIX "$9$"

bool dollar9_is(const char *text)
{
	return strncmp(text, PREFIX, sizeof(PREFIX) - 1) == 0;
}

/* Place of a character in the alphabet; -1 when it has none. */
static int place(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

static size_t extra(int at)
{
	size_t i = 0;

	while (at >= family_end[i])
		i++;
	return 3 - i;
}

enum err dollar9_decode(const char *text, uint8_t *buf, size_t cap, size_t *ret_len)
{
	size_t left = dollar9_is(text) ? strlen(text) - 3 : 0;
	const char *p = text + 3;
	size_t len = 0;

	if (left == 0 || place(p[0]) < 0)
		return ERR_SYNTAX;
	int last = place(p[0]);
	size_t head = 1 + extra(last);
	if (left <= head)
		return ERR_SYNTAX;
	p += head;
	left -= head;
	while (left > 0) {
		size_t n = (size_t)splits[len % ARRAY_LEN(splits)].n;
		int byte = 0;

		if (left < n)
			return ERR_SYNTAX;
		if (len == cap)
			return ERR_LENGTH;
		for (size_t i = 0; i < n; i++) {
			int at = place(p[i]);

			if (at < 0)
				return ERR_SYNTAX;
			int gap = (at - last + ALPHABET) % ALPHABET - 1;
			byte += gap * splits[len % ARRAY_LEN(splits)].weight[i];
			last = at;
		}
		buf[len++] = (uint8_t)(byte & 0xff);
		p += n;
		left -= n;
	}
	*ret_len = len;
	return ERR_OK;
}

/* A number that depends on all bytes, for the salt. */
static uint32_t stir(struct view v)
{
	uint32_t h = 0x811c9dc5u;

	for (size_t i = 0; i < v.len; i++)
		h = (h ^ v.p[i]) * 0x01000193u;
	return h;
}

static size_t put_byte(int byte, int *last, size_t pos, char *out)
{
	int n = splits[pos % ARRAY_LEN(splits)].n;
	const int *weight = splits[pos % ARRAY_LEN(splits)].weight;
	int gap[4];

	for (int i = n - 1; i >= 0; i--) {
		gap[i] = byte / weight[i];
		byte %= weight[i];
	}
	for (int i = 0; i < n; i++) {
		*last = (*last + gap[i] + 1) % ALPHABET;
		out[i] = alphabet[*last];
	}
	return (size_t)n;
}

enum err dollar9_encode(struct view plain, char *buf, size_t cap)
{
	uint32_t salt = stir(plain);
	int last = (int)(salt % (uint32_t)ALPHABET);
	size_t len = sizeof(PREFIX) - 1;

	if (cap < DOLLAR9_MAX(plain.len))
		return ERR_LENGTH;
	memcpy(buf, PREFIX, len);
	buf[len++] = alphabet[last];
	for (size_t i = extra(last); i > 0; i--) {
		salt = salt * 1664525u + 1013904223u;
		buf[len++] = alphabet[(salt >> 16) % (uint32_t)ALPHABET];
	}
	for (size_t i = 0; i < plain.len; i++)
		len += put_byte(plain.p[i], &last, i, buf + len);
	buf[len] = 0;
	return ERR_OK;
}
