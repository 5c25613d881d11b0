// SPDX-License-Identifier: BSD-2-Clause
#include "value.h"

#include "dollar9.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

struct check {
	const struct schema_value *v;
	const char *text;
	struct why *why, *note;
};

static enum err wrong(const struct check *c, enum err e, const char *right)
{
	return why_set(c->why, e, "\"%.80s\" is not valid; expected %s", c->text, right);
}

static enum err read_uint(const char *text, uint32_t *ret)
{
	uint64_t x = 0;

	if (text[0] == 0 || strlen(text) > 10 || strspn(text, DIGITS) != strlen(text))
		return ERR_SYNTAX;
	for (const char *p = text; *p; p++)
		x = x * 10 + (uint64_t)(*p - '0');
	if (x > UINT32_MAX)
		return ERR_RANGE;
	*ret = (uint32_t)x;
	return ERR_OK;
}

static enum err check_uint(const struct check *c)
{
	uint32_t x;

	if (read_uint(c->text, &x) || x < c->v->min || x > c->v->max)
		return why_set(c->why, ERR_RANGE, "\"%.80s\" is out of range; expected %u..%u",
		               c->text, c->v->min, c->v->max);
	if (c->v->type == TYPE_POWER2 && (x & (x - 1)))
		return why_set(c->why, ERR_VALUE, "%u is no power of two; expected one in %u..%u",
		               x, c->v->min, c->v->max);
	return ERR_OK;
}

static enum err check_rate(const struct check *c)
{
	uint32_t count, seconds;

	value_rate(c->text, &count, &seconds);
	if (count == 0 || count > VALUE_RATE_MAX || seconds == 0 || seconds > VALUE_RATE_MAX)
		return wrong(c, ERR_RANGE, "1..86400, or 1..86400/1..86400 (count/seconds)");
	return ERR_OK;
}

static enum err check_name(const struct check *c)
{
	size_t n = strlen(c->text);

	if (n == 0 || n > VALUE_NAME_MAX || strspn(c->text, LETTERS DIGITS "-_.:/") != n)
		return wrong(c, ERR_VALUE, "1 to 63 letters, digits, - _ . : /");
	return ERR_OK;
}

static enum err check_text(const struct check *c)
{
	size_t n = strlen(c->text);

	/* The lexer let no control characters in. */
	if (c->v->max && (n < c->v->min || n > c->v->max))
		return why_set(c->why, ERR_LENGTH, "%zu characters; expected %u..%u", n, c->v->min,
		               c->v->max);
	return ERR_OK;
}

static enum err check_word(const struct check *c)
{
	char all[1024], near[64];

	if (schema_has_word(c->v->words, c->text))
		return ERR_OK;
	for (size_t i = 0, n = 0; i <= strlen(c->v->words) && n + 3 < sizeof(all); i++) {
		all[n++] = c->v->words[i] == ' ' ? ',' : c->v->words[i];
		if (c->v->words[i] == ' ')
			all[n++] = ' ';
		all[n] = 0;
	}
	if (c->v->later && schema_has_word(c->v->later, c->text))
		return why_set(c->why, ERR_UNSUPPORTED,
		               "\"%s\" is not supported in this version; supported: %s", c->text,
		               all);
	if (schema_nearest_word(c->v->words, c->text, near, sizeof(near)))
		return why_set(c->why, ERR_UNKNOWN, "\"%.80s\" is not known; did you mean %s?",
		               c->text, near);
	return why_set(c->why, ERR_UNKNOWN, "\"%.80s\" is not known; expected one of: %s", c->text,
	               all);
}

static const struct {
	enum schema_type type;
	uint8_t family;
	const char *right;
} families[] = {
	{ TYPE_ADDRESS, ADDR_NONE, "an IPv4 or IPv6 address" },
	{ TYPE_ADDRESS4, ADDR_V4, "an IPv4 address" },
	{ TYPE_ADDRESS6, ADDR_V6, "an IPv6 address" },
	{ TYPE_PEER, ADDR_NONE, "an IPv4 or IPv6 address" },
	{ TYPE_PREFIX, ADDR_NONE, "address/length" },
	{ TYPE_PREFIX4, ADDR_V4, "IPv4 address/length" },
	{ TYPE_PREFIX6, ADDR_V6, "IPv6 address/length" },
	{ TYPE_HOST4, ADDR_V4, "IPv4 address/length, such as 192.0.2.1/24" },
	{ TYPE_HOST6, ADDR_V6, "IPv6 address/length, such as 2001:db8::1/64" },
};

/* The row of families[] for a type, and whether an address is of its family. */
static const char *family_text(enum schema_type type, uint8_t family, bool *ret_ok)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (families[i].type == type) {
			*ret_ok = families[i].family == ADDR_NONE || families[i].family == family;
			return families[i].right;
		}
	*ret_ok = false;
	return "an address";
}

static enum err check_address(const struct check *c)
{
	struct addr a;
	enum err e = addr_parse(c->text, &a);
	bool ok;
	const char *right = family_text(c->v->type, e ? ADDR_NONE : a.family, &ok);

	return e || !ok ? wrong(c, ERR_VALUE, right) : ERR_OK;
}

static enum err check_hostname(const struct check *c)
{
	size_t n = strlen(c->text);

	if (n == 0 || n > 253 || strspn(c->text, LETTERS DIGITS "-_.") != n || c->text[0] == '.' ||
	    strstr(c->text, ".."))
		return wrong(c, ERR_VALUE, "a domain name, such as gw.example.net");
	return ERR_OK;
}

static enum err check_peer(const struct check *c)
{
	struct prefix p;
	struct addr a;

	if (addr_parse(c->text, &a) == ERR_OK)
		return addr_is_any(&a) ? wrong(c, ERR_VALUE, "the address of one host") : ERR_OK;
	if (strchr(c->text, '/') && prefix_parse(c->text, &p) == ERR_OK) {
		(void)why_set(c->note, ERR_OK,
		              "a peer has no prefix length; the length of %s is dropped", c->text);
		return ERR_OK;
	}
	if (check_hostname(&(struct check){ c->v, c->text, NULL, NULL }) == ERR_OK &&
	    strpbrk(c->text, LETTERS))
		return why_set(c->why, ERR_UNSUPPORTED,
		               "host names of peers are not supported in this version; "
		               "expected an address instead of \"%.80s\"",
		               c->text);
	return wrong(c, ERR_VALUE, "an IPv4 or IPv6 address");
}

static enum err check_prefix(const struct check *c)
{
	struct prefix p;
	enum err e = strchr(c->text, '/') ? prefix_parse(c->text, &p) : ERR_SYNTAX;
	bool ok;
	const char *right = family_text(c->v->type, e ? ADDR_NONE : p.addr.family, &ok);

	if (e || !ok)
		return wrong(c, ERR_VALUE, right);
	if (c->v->type == TYPE_HOST4 || c->v->type == TYPE_HOST6)
		return addr_is_any(&p.addr) ? wrong(c, ERR_VALUE, right) : ERR_OK;
	struct addr first = prefix_first(&p);
	char net[PREFIX_TEXT_MAX];
	if (!addr_equal(&first, &p.addr))
		(void)why_set(c->note, ERR_OK, "%s has bits beyond its length; taken as %s",
		              c->text, prefix_text(&(struct prefix){ first, p.len }, net));
	return ERR_OK;
}

static enum err check_device(const struct check *c)
{
	size_t n = strlen(c->text);

	if (n == 0 || n > 15 || strspn(c->text, LETTERS DIGITS "-_.:@") != n || c->text[0] == '.')
		return wrong(c, ERR_VALUE, "the name of a Linux device, at most 15 characters");
	return ERR_OK;
}

static enum err check_interface(const struct check *c)
{
	size_t n = strlen(c->text);

	if (n == 0 || n > 15 || strspn(c->text, LETTERS DIGITS "-_/@") != n || !isalpha(c->text[0]))
		return wrong(
		        c, ERR_VALUE,
		        "the name of an interface without its unit, such as eth1, ge-0/0/3 or st0");
	return ERR_OK;
}

static enum err check_unit(const struct check *c)
{
	char name[VALUE_NAME_MAX + 1];
	uint32_t unit;
	struct check only = { c->v, name, NULL, NULL };

	if (!value_unit(c->text, name, &unit) || unit > 65535 || check_interface(&only))
		return wrong(c, ERR_VALUE, "interface.unit, such as eth1.0, ge-0/0/3.0 or st0.1");
	return ERR_OK;
}

static enum err check_next_hop(const struct check *c)
{
	struct addr a;

	if (addr_parse(c->text, &a) == ERR_OK)
		return addr_is_any(&a) ? wrong(c, ERR_VALUE, "an address, or st0.N") : ERR_OK;
	if (strncmp(c->text, "st0", 3) || check_unit(&(struct check){ c->v, c->text, NULL, NULL }))
		return wrong(c, ERR_VALUE, "an address, or st0.N");
	return ERR_OK;
}

static enum err check_email(const struct check *c)
{
	const char *at = strchr(c->text, '@');
	size_t n = strlen(c->text);

	if (at == NULL || at == c->text || at[1] == 0 || strchr(at + 1, '@') || n > 254 ||
	    strpbrk(c->text, " \t"))
		return wrong(c, ERR_VALUE, "user@host");
	return ERR_OK;
}

static enum err check_key(const struct check *c)
{
	uint8_t buf[VALUE_KEY_MAX];
	size_t len;
	enum err e = value_key(c->v->type, c->text, buf, &len, c->why);

	explicit_bzero(buf, sizeof(buf));
	if (e == ERR_OK && len < 16 && c->v->type != TYPE_HEX && c->v->min == 0)
		(void)why_set(c->note, ERR_OK,
		              "a key of %zu bytes is easily guessed; use 16 or more", len);
	return e;
}

static enum err (*const checks[SCHEMA_TYPES])(const struct check *c) = {
	[TYPE_UINT] = check_uint,         [TYPE_POWER2] = check_uint,
	[TYPE_NAME] = check_name,         [TYPE_TEXT] = check_text,
	[TYPE_WORD] = check_word,         [TYPE_REFERENCE] = check_name,
	[TYPE_ADDRESS] = check_address,   [TYPE_ADDRESS4] = check_address,
	[TYPE_ADDRESS6] = check_address,  [TYPE_PEER] = check_peer,
	[TYPE_PREFIX] = check_prefix,     [TYPE_PREFIX4] = check_prefix,
	[TYPE_PREFIX6] = check_prefix,    [TYPE_HOST4] = check_prefix,
	[TYPE_HOST6] = check_prefix,      [TYPE_INTERFACE] = check_interface,
	[TYPE_DEVICE] = check_device,     [TYPE_UNIT] = check_unit,
	[TYPE_NEXT_HOP] = check_next_hop, [TYPE_HOSTNAME] = check_hostname,
	[TYPE_EMAIL] = check_email,       [TYPE_KEY_TEXT] = check_key,
	[TYPE_KEY_HEX] = check_key,       [TYPE_HEX] = check_key,
	[TYPE_RATE] = check_rate,
};

enum err value_check(const struct schema_value *v, const char *text, struct why *why,
                     struct why *note)
{
	struct check c = { v, text, why, note };

	if (note)
		note->text[0] = 0;
	return checks[v->type] ? checks[v->type](&c) : ERR_VALUE;
}

uint32_t value_uint(const char *text)
{
	uint32_t x;

	return read_uint(text, &x) ? 0 : x;
}

void value_rate(const char *text, uint32_t *ret_count, uint32_t *ret_seconds)
{
	const char *slash = strchr(text, '/');
	char count[16];

	*ret_count = *ret_seconds = 0;
	if (slash && (size_t)(slash - text) >= sizeof(count))
		return;
	(void)snprintf(count, sizeof(count), "%.*s", slash ? (int)(slash - text) : 15, text);
	*ret_count = value_uint(count);
	*ret_seconds = slash ? value_uint(slash + 1) : 1;
}

struct addr value_peer(const char *text)
{
	struct addr a;
	struct prefix p;

	if (addr_parse(text, &a) == ERR_OK)
		return a;
	return prefix_parse(text, &p) == ERR_OK ? p.addr : (struct addr){ 0 };
}

struct prefix value_host(const char *text)
{
	struct prefix p;

	return prefix_parse(text, &p) == ERR_OK ? p : (struct prefix){ 0 };
}

struct prefix value_prefix(const char *text)
{
	struct prefix p = value_host(text);

	p.addr = prefix_first(&p);
	return p;
}

bool value_unit(const char *text, char name[VALUE_NAME_MAX + 1], uint32_t *ret_unit)
{
	const char *dot = strrchr(text, '.');
	size_t n = dot ? (size_t)(dot - text) : strlen(text);

	*ret_unit = 0;
	if (n == 0 || n > VALUE_NAME_MAX || (dot && read_uint(dot + 1, ret_unit)))
		return false;
	memcpy(name, text, n);
	name[n] = 0;
	return true;
}

static enum err hex_bytes(struct view hex, uint8_t buf[VALUE_KEY_MAX], size_t *ret_len,
                          struct why *why)
{
	if (hex.len == 0 || hex.len % 2 || hex.len > 2 * VALUE_KEY_MAX)
		return why_set(why, ERR_LENGTH,
		               "%zu hexadecimal digits; expected an even number, 2..%d", hex.len,
		               2 * VALUE_KEY_MAX);
	for (size_t i = 0; i < hex.len; i++) {
		char c = (char)tolower(hex.p[i]);

		if (!isxdigit(hex.p[i]))
			return why_set(why, ERR_SYNTAX,
			               "character %zu is no hexadecimal digit; expected 0-9, a-f",
			               i + 1);
		unsigned nibble = c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
		buf[i / 2] = (uint8_t)((i % 2 ? (unsigned)buf[i / 2] << 4 : 0) | nibble);
	}
	*ret_len = hex.len / 2;
	return ERR_OK;
}

enum err value_key(enum schema_type type, const char *text, uint8_t buf[VALUE_KEY_MAX],
                   size_t *ret_len, struct why *why)
{
	uint8_t plain[2 * VALUE_KEY_MAX + 1];
	size_t len = strlen(text);
	enum err e = ERR_OK;

	if (type != TYPE_HEX && dollar9_is(text))
		e = dollar9_decode(text, plain, sizeof(plain), &len);
	else if (len <= sizeof(plain))
		memcpy(plain, text, len);
	if (e)
		return why_set(why, e, "a damaged \"$9$\" string; enter the key anew");
	if (type != TYPE_KEY_TEXT) {
		e = len > sizeof(plain) ? ERR_LENGTH : ERR_OK;
		e = e ? why_set(why, e, "%zu hexadecimal digits; expected an even number, 2..510",
		                len)
		      : hex_bytes((struct view){ plain, len }, buf, ret_len, why);
	} else if (len == 0 || len > VALUE_KEY_MAX) {
		e = why_set(why, ERR_LENGTH, "a key of %zu characters; expected 1..%d", len,
		            VALUE_KEY_MAX);
	} else {
		memcpy(buf, plain, len);
		*ret_len = len;
	}
	explicit_bzero(plain, sizeof(plain));
	return e;
}
