/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of statements: is the text what the schema's row says, and what does it mean. Any thread.
 */
#ifndef VALUE_H
#define VALUE_H
#include "addr.h"
#include "errors.h"
#include "schema.h"

#define VALUE_NAME_MAX 63
#define VALUE_KEY_MAX 255
#define VALUE_RATE_MAX 86400

/* Checks text against a row's value. On an error why says what is wrong and what would be right,
 * without place. On success note (which may be NULL) has the text of a warning, or is empty. */
enum err value_check(const struct schema_value *v, const char *text, struct why *why,
                     struct why *note) MUST_CHECK;

/* What checked text means. */
uint32_t value_uint(const char *text);
/* count/seconds; a count alone is for one second. 0 for what is no number. */
void value_rate(const char *text, uint32_t *ret_count, uint32_t *ret_seconds);
struct addr value_peer(const char *text);     /* an address; a length is dropped */
struct prefix value_prefix(const char *text); /* host bits cleared */
struct prefix value_host(const char *text);   /* host bits kept */

/* "ge-0/0/3.1" into name and unit; without ".N" the unit is 0. False when the name is too long. */
bool value_unit(const char *text, char name[VALUE_NAME_MAX + 1], uint32_t *ret_unit);

/* The bytes of a TYPE_KEY_TEXT, TYPE_KEY_HEX or TYPE_HEX value. */
enum err value_key(enum schema_type type, const char *text, uint8_t buf[VALUE_KEY_MAX],
                   size_t *ret_len, struct why *why) MUST_CHECK;

#endif
