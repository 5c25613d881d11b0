/* SPDX-License-Identifier: BSD-2-Clause */
/* "$9$…", Junos' reversible form of a secret.
 *
 * It hides a key from a glance over the shoulder, not from anybody who tries: whoever can read the
 * configuration can read the key. Any thread. */
#ifndef DOLLAR9_H
#define DOLLAR9_H
#include "errors.h"
#include "reader.h"

/* Room for the encoded form of n bytes, with the final zero. */
#define DOLLAR9_MAX(n) (4 * (n) + 8)

/* True when text claims to be in this form. */
bool dollar9_is(const char *text);

/* Decodes; ERR_SYNTAX when it is damaged, ERR_LENGTH when it needs more than cap bytes. */
enum err dollar9_decode(const char *text, uint8_t *buf, size_t cap, size_t *ret_len) MUST_CHECK;

/* Encodes plain into buf. The same plain text gives the same result, so that what is shown does not
 * change from one look to the next. */
enum err dollar9_encode(struct view plain, char *buf, size_t cap) MUST_CHECK;

#endif
