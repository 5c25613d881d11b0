// SPDX-License-Identifier: BSD-2-Clause
#include "ah_mute.h"
#include "bytes.h"
#include "ip_info.h"

#include <stdbool.h>

enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, DEST_OPTIONS = 60, V6_UNIT = 8 };
enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_PAD1 = 0, OPTION_MAY_CHANGE = 0x20 };

/* RFC 4302 appendix A1: the IPv4 options that arrive as they were sent. Every other one, also one
 * that nobody knows, is zero from its first byte to its last. */
static const uint8_t immutable_options[] = {
	0x82, /* security (RFC 1108) */
	0x85, /* extended security */
	0x86, /* commercial security */
	0x94, /* router alert (RFC 2113) */
	0x95, /* sender directed multi-destination delivery (RFC 1770) */
};

static bool is_immutable(uint8_t option)
{
	for (size_t i = 0; i < sizeof(immutable_options); i++)
		if (immutable_options[i] == option)
			return true;
	return false;
}

static bool v4_options(uint8_t *p, size_t left)
{
	while (left > 0 && *p != OPTION_END) {
		size_t len = *p == OPTION_NOP ? 1 : left >= 2 ? p[1] : 0;

		if (len == 0 || len > left || (*p != OPTION_NOP && len < 2))
			return false;
		if (len > 1 && !is_immutable(*p))
			memset(p, 0, len);
		p += len;
		left -= len;
	}
	return true;
}

static uint8_t *v4_mute(uint8_t *ip, size_t before)
{
	if (before < IP_V4_LEN || (ip[0] & 15u) * 4u != before)
		return NULL;
	ip[1] = 0;             /* DSCP and ECN */
	memset(ip + 6, 0, 3);  /* flags, fragment offset, TTL */
	memset(ip + 10, 0, 2); /* checksum */
	return v4_options(ip + IP_V4_LEN, before - IP_V4_LEN) ? ip : NULL;
}

/* RFC 8200 4.2: the third bit of its type says whether an option's data may change on the way. */
static bool v6_options(uint8_t *p, size_t left)
{
	while (left > 0) {
		size_t len = *p == OPTION_PAD1 ? 1 : left >= 2 ? p[1] + 2u : 0;

		if (len == 0 || len > left)
			return false;
		if (*p & OPTION_MAY_CHANGE)
			memset(p + 2, 0, len - 2);
		p += len;
		left -= len;
	}
	return true;
}

/* A header of the chain: at ip + at, named by the byte at *next. A routing header stands there as
 * it arrives: all its segments are behind it (RFC 4302 appendix A2). Returns its length, or 0. */
static size_t v6_header(uint8_t *p, size_t left, uint8_t type)
{
	size_t len = left < V6_UNIT ? 0 : type == FRAGMENT ? V6_UNIT : (p[1] + 1u) * V6_UNIT;

	if (len == 0 || len > left)
		return 0;
	if (type == HOP_BY_HOP || type == DEST_OPTIONS)
		return v6_options(p + 2, len - 2) ? len : 0;
	return type == ROUTING || type == FRAGMENT ? len : 0;
}

/* Takes the 8 bytes at ip + at out of the packet, by moving what is before them. */
static uint8_t *take_out(uint8_t *ip, size_t at, size_t next)
{
	ip[next] = ip[at];
	put_be16(ip + 4, (uint16_t)(get_be16(ip + 4) - V6_UNIT));
	memmove(ip + V6_UNIT, ip, at);
	return ip + V6_UNIT;
}

static uint8_t *v6_mute(uint8_t *ip, size_t before)
{
	size_t at = IP_V6_LEN, next = 6, len, fragment = 0, fragment_next = 0;

	if (before < IP_V6_LEN)
		return NULL;
	ip[0] = 0x60; /* class, flow label */
	memset(ip + 1, 0, 3);
	ip[7] = 0; /* hop limit */
	for (; at < before; next = at, at += len) {
		len = v6_header(ip + at, before - at, ip[next]);
		if (len == 0)
			return NULL;
		if (ip[next] != FRAGMENT)
			continue;
		if (fragment != 0)
			return NULL;
		fragment = at;
		fragment_next = next;
	}
	return fragment != 0 ? take_out(ip, fragment, fragment_next) : ip;
}

uint8_t *ah_mute(uint8_t *ip, size_t before)
{
	if (before == 0)
		return NULL;
	return ip[0] >> 4 == 4 ? v4_mute(ip, before) : v6_mute(ip, before);
}
