/* SPDX-License-Identifier: BSD-2-Clause */
/* What can go wrong, and how it is handed up.
 *
 * enum err says what, for code, counters and the peer. struct why says it to a human, and is filled
 * only where a human waits: configuration, CLI, files, start-up. Every fallible function is
 * MUST_CHECK and returns enum err; it does its whole job, or changes nothing. Any thread. */
#ifndef ERRORS_H
#define ERRORS_H
#include <stddef.h>

/* clang-format off */
#define ERRORS(X) \
	X(OK,          "success") \
	X(TRUNCATED,   "message ends too early") \
	X(LENGTH,      "a length is wrong") \
	X(SYNTAX,      "malformed") \
	X(VALUE,       "value not allowed here") \
	X(RANGE,       "value out of range") \
	X(UNKNOWN,     "not known") \
	X(EXPECTED,    "something else was expected") \
	X(MISSING,     "something required is missing") \
	X(DUPLICATE,   "already there") \
	X(UNSUPPORTED, "not supported in this version") \
	X(VERSION,     "version or layout does not fit") \
	X(CORRUPT,     "checksum or structure is damaged") \
	X(CRYPTO,      "cryptographic operation failed") \
	X(AUTH,        "authentication failed") \
	X(NO_PROPOSAL, "no proposal chosen") \
	X(NO_SELECTOR, "no traffic selector in common") \
	X(REPLAY,      "seen before, or too old") \
	X(NOT_FOUND,   "not found") \
	X(FULL,        "full") \
	X(AGAIN,       "try again") \
	X(BUSY,        "busy") \
	X(DENIED,      "permission denied") \
	X(MEMORY,      "out of memory") \
	X(IO,          "input or output failed") \
	X(CLOSED,      "the other side is gone") \
	X(WRONG_STATE, "not in this state")
/* clang-format on */

#define ERR_ENUM(name, text) ERR_##name,
enum err { ERRORS(ERR_ENUM) ERR_MAX };
#undef ERR_ENUM

/* A short text for each code; never NULL. */
const char *err_text(enum err e);

/* The reason in words, for the human who waits. Zero-initialise; owns nothing. */
struct why {
	char text[512];
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Fills why (which may be NULL) and returns e, so that a failure is one statement. */
enum err why_set(struct why *why, enum err e, const char *fmt, ...) PRINTF(3, 4);

/* Puts "prefix: " in front of what why holds; for callers that know the path. Returns e. */
enum err why_prefix(struct why *why, enum err e, const char *fmt, ...) PRINTF(3, 4);

/* Returns the enum err that fits an errno value. */
enum err err_from_errno(int e);

/* Leaves the function with the callee's error. */
#define TRY(call)                           \
	do {                                \
		enum err try_err_ = (call); \
		if (try_err_ != ERR_OK)     \
			return try_err_;    \
	} while (0)

/* Frees what the variable points to when it leaves the scope: AUTO(x_free) struct x *x = NULL; the
 * free function takes NULL. AUTO_DEFINE(struct x, x_free) once, beside x_free's prototype. */
#define AUTO(free_fn) __attribute__((cleanup(free_fn##_auto)))
#define AUTO_DEFINE(type, free_fn)                  \
	static inline void free_fn##_auto(type **p) \
	{                                           \
		free_fn(*p);                        \
	}                                           \
	struct auto_define_needs_a_semicolon

/* Takes the pointer out of an AUTO variable, which then frees nothing. */
#define STEAL(p)                            \
	({                                  \
		__typeof__(p) steal_ = (p); \
		(p) = NULL;                 \
		steal_;                     \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
