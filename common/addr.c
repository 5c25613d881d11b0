// SPDX-License-Identifier: BSD-2-Clause
#include "addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static int family_to_af(uint8_t family)
{
	return family == ADDR_V4 ? AF_INET : AF_INET6;
}

/* The part of byte i of an address that a prefix of len bits covers. */
static uint8_t mask_byte(uint8_t len, size_t i)
{
	size_t first = 8 * i;

	if (len >= first + 8)
		return 0xff;
	if (len <= first)
		return 0;
	return (uint8_t)(0xff00u >> (len - first));
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_cmp(a, b) == 0;
}

int addr_cmp(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, addr_len(a));
}

bool addr_is_any(const struct addr *a)
{
	static const uint8_t zero[sizeof(a->b)];

	return memcmp(a->b, zero, addr_len(a)) == 0;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

bool prefix_has(const struct prefix *p, const struct addr *a)
{
	if (p->addr.family != a->family)
		return false;
	for (size_t i = 0; i < addr_len(a); i++)
		if ((p->addr.b[i] ^ a->b[i]) & mask_byte(p->len, i))
			return false;
	return true;
}

struct addr prefix_first(const struct prefix *p)
{
	struct addr a = p->addr;

	for (size_t i = 0; i < addr_len(&a); i++)
		a.b[i] &= mask_byte(p->len, i);
	return a;
}

struct addr prefix_last(const struct prefix *p)
{
	struct addr a = p->addr;

	for (size_t i = 0; i < addr_len(&a); i++)
		a.b[i] |= (uint8_t)~mask_byte(p->len, i);
	return a;
}

enum err addr_parse(const char *text, struct addr *ret)
{
	struct addr a = { .family = strchr(text, ':') ? ADDR_V6 : ADDR_V4 };

	if (inet_pton(family_to_af(a.family), text, a.b) != 1)
		return ERR_SYNTAX;
	*ret = a;
	return ERR_OK;
}

/* One to three decimal digits and nothing else. */
static enum err length_parse(const char *text, uint8_t max, uint8_t *ret)
{
	size_t n = strspn(text, "0123456789");
	unsigned len = 0;

	if (n == 0 || n > 3 || text[n] != '\0')
		return ERR_SYNTAX;
	for (size_t i = 0; i < n; i++)
		len = 10 * len + (unsigned)(text[i] - '0');
	if (len > max)
		return ERR_RANGE;
	*ret = (uint8_t)len;
	return ERR_OK;
}

enum err prefix_parse(const char *text, struct prefix *ret)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char host[ADDR_TEXT_MAX];
	struct prefix p;

	if (n >= sizeof(host))
		return ERR_SYNTAX;
	memcpy(host, text, n);
	host[n] = '\0';
	TRY(addr_parse(host, &p.addr));
	p.len = (uint8_t)(8 * addr_len(&p.addr));
	if (slash)
		TRY(length_parse(slash + 1, p.len, &p.len));
	*ret = p;
	return ERR_OK;
}

char *addr_text(const struct addr *a, char *buf)
{
	if (addr_len(a) == 0 || !inet_ntop(family_to_af(a->family), a->b, buf, ADDR_TEXT_MAX))
		(void)snprintf(buf, ADDR_TEXT_MAX, "none");
	return buf;
}

char *prefix_text(const struct prefix *p, char *buf)
{
	char host[ADDR_TEXT_MAX];

	(void)snprintf(buf, PREFIX_TEXT_MAX, "%s/%u", addr_text(&p->addr, host), p->len);
	return buf;
}

char *endpoint_text(const struct endpoint *e, char *buf)
{
	char host[ADDR_TEXT_MAX];
	const char *format = e->addr.family == ADDR_V6 ? "[%s]:%u" : "%s:%u";

	(void)snprintf(buf, ENDPOINT_TEXT_MAX, format, addr_text(&e->addr, host), e->port);
	return buf;
}

struct addr addr_v4(uint32_t host_order)
{
	struct addr a = { .family = ADDR_V4 };

	for (size_t i = 0; i < 4; i++)
		a.b[i] = (uint8_t)(host_order >> (8 * (3 - i)));
	return a;
}

enum err addr_from_bytes(const uint8_t *b, size_t len, struct addr *ret)
{
	struct addr a = { .family = len == 4 ? ADDR_V4 : ADDR_V6 };

	if (len != 4 && len != 16)
		return ERR_LENGTH;
	memcpy(a.b, b, len);
	*ret = a;
	return ERR_OK;
}

socklen_t endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(e->port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(e->port) };

	memset(ret, 0, sizeof(*ret));
	if (e->addr.family == ADDR_V6) {
		memcpy(&v6.sin6_addr, e->addr.b, 16);
		memcpy(ret, &v6, sizeof(v6));
		return sizeof(v6);
	}
	memcpy(&v4.sin_addr, e->addr.b, 4);
	memcpy(ret, &v4, sizeof(v4));
	return sizeof(v4);
}

enum err endpoint_from_sockaddr(const struct sockaddr_storage *ss, struct endpoint *ret)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	if (ss->ss_family == AF_INET6) {
		memcpy(&v6, ss, sizeof(v6));
		ret->port = ntohs(v6.sin6_port);
		return addr_from_bytes((const uint8_t *)&v6.sin6_addr, 16, &ret->addr);
	}
	if (ss->ss_family != AF_INET)
		return ERR_UNSUPPORTED;
	memcpy(&v4, ss, sizeof(v4));
	ret->port = ntohs(v4.sin_port);
	return addr_from_bytes((const uint8_t *)&v4.sin_addr, 4, &ret->addr);
}
