/* SPDX-License-Identifier: BSD-2-Clause */
/* IP addresses, prefixes, ranges and end points, both families, as plain values.
 *
 * IPv4 addresses stand in the first four bytes, the rest is zero, so values compare with memcmp().
 * Any thread. */
#ifndef ADDR_H
#define ADDR_H
#include "errors.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum addr_family { ADDR_NONE = 0, ADDR_V4 = 4, ADDR_V6 = 6 };

struct addr {
	uint8_t family; /* enum addr_family */
	uint8_t b[16];  /* network byte order */
};

struct prefix {
	struct addr addr;
	uint8_t len; /* bits */
};

/* An address and UDP port (host byte order). */
struct endpoint {
	struct addr addr;
	uint16_t port;
};

#define ADDR_TEXT_MAX 48
#define PREFIX_TEXT_MAX 52
#define ENDPOINT_TEXT_MAX 56

/* 4 or 16; 0 for ADDR_NONE. */
static inline size_t addr_len(const struct addr *a)
{
	return a->family == ADDR_V4 ? 4 : a->family == ADDR_V6 ? 16 : 0;
}

bool addr_equal(const struct addr *a, const struct addr *b);
int addr_cmp(const struct addr *a, const struct addr *b);
bool addr_is_any(const struct addr *a);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
bool prefix_has(const struct prefix *p, const struct addr *a);

/* First and last address of a prefix. */
struct addr prefix_first(const struct prefix *p);
struct addr prefix_last(const struct prefix *p);

/* Text in, value out, and back. The text buffer has at least the _MAX of its kind; returns it.
 * endpoint_text() writes [v6]:port. */
enum err addr_parse(const char *text, struct addr *ret) MUST_CHECK;
enum err prefix_parse(const char *text, struct prefix *ret) MUST_CHECK; /* without /n: a host */
char *addr_text(const struct addr *a, char *buf);
char *prefix_text(const struct prefix *p, char *buf);
char *endpoint_text(const struct endpoint *e, char *buf);

struct addr addr_v4(uint32_t host_order);
enum err addr_from_bytes(const uint8_t *b, size_t len, struct addr *ret) MUST_CHECK; /* 4 or 16 */

socklen_t endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ret);
enum err endpoint_from_sockaddr(const struct sockaddr_storage *ss, struct endpoint *ret) MUST_CHECK;

#endif
