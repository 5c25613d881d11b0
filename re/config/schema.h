/* SPDX-License-Identifier: BSD-2-Clause */
/* The one table of statements.
 *
 * Parsing, checking of values, completion, defaults and docs/configuration.md all read the rows of
 * schema_*.c; a statement that is in no row does not exist. What the reference product knows and we
 * do not (yet) stands in the table too, so that it is refused by name rather than as a misspelling.
 * Static data; any thread. */
#ifndef SCHEMA_H
#define SCHEMA_H
#include "errors.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_kind {
	CONTAINER, /* word { … } */
	LIST,      /* word NAME { … }, any number, each with a name of its own */
	LEAF,      /* word VALUE; */
	LEAF_LIST, /* word VALUE; or word [ VALUE … ]; in the order given */
	FLAG,      /* word; */
	LATER,     /* known and refused, with all that is under it */
	SCHEMA_KINDS
};

enum schema_type {
	TYPE_NONE,
	TYPE_UINT,      /* min..max */
	TYPE_POWER2,    /* min..max, powers of two */
	TYPE_NAME,      /* 1 to 63 characters */
	TYPE_TEXT,      /* free text; of min..max characters where max is given */
	TYPE_WORD,      /* one of words */
	TYPE_REFERENCE, /* the name of an entry of the list at the path in words */
	TYPE_ADDRESS,   /* IPv4 or IPv6 address */
	TYPE_ADDRESS4,
	TYPE_ADDRESS6,
	TYPE_PEER,   /* address; a length is dropped with a warning */
	TYPE_PREFIX, /* address/length; host bits are cleared with a warning */
	TYPE_PREFIX4,
	TYPE_PREFIX6,
	TYPE_HOST4, /* address/length of an interface */
	TYPE_HOST6,
	TYPE_INTERFACE, /* eth1, ge-0/0/3, st0 */
	TYPE_DEVICE,    /* a Linux device */
	TYPE_UNIT,      /* interface.unit; without the unit: unit 0 */
	TYPE_NEXT_HOP,  /* address or st0.N */
	TYPE_HOSTNAME,  /* FQDN */
	TYPE_EMAIL,     /* user@host */
	TYPE_KEY_TEXT,  /* secret: 1 to 255 characters, or "$9$…" */
	TYPE_KEY_HEX,   /* secret: 2 to 510 hexadecimal digits, or "$9$…" of such */
	TYPE_HEX,       /* 2 to 510 hexadecimal digits */
	TYPE_RATE,      /* N, or N/SECONDS; each 1..86400 */
	SCHEMA_TYPES
};

/* What a change of the statement does to SAs that are up. */
enum schema_effect {
	EFFECT_NONE,     /* nothing */
	EFFECT_NEXT,     /* holds from the next negotiation on */
	EFFECT_CHILDREN, /* the IPsec SAs made from it are deleted and negotiated anew */
	EFFECT_PEER,     /* the IKE SA and the IPsec SAs of the gateway are cleared */
	EFFECT_TUNNEL,   /* the tunnels that use it are cleared */
	EFFECT_START,    /* IKE starts at once */
	SCHEMA_EFFECTS
};

enum schema_mark {
	MARK_HAWSER = 1 << 0,     /* ours, not in Junos */
	MARK_PARSE_ONLY = 1 << 1, /* stored and shown, without effect: each use is a warning */
	MARK_MUST = 1 << 2,       /* its container is not complete without it */
	MARK_BARE = 1 << 3,       /* a container that means something when it is empty */
	MARK_JOIN = 1 << 4,       /* written on one line with its child: family inet { … } */
	MARK_BLOCK = 1 << 5,      /* a list written as one block: interfaces { ge-0/0/3.0; } */
	MARK_SECRET = 1 << 6,     /* never shown in clear */
	MARK_FULL = 1 << 7,       /* an entry that must not be empty at commit */
	MARK_ONE = 1 << 8,        /* exactly one of its statements */
};

struct schema_value {
	enum schema_type type;
	uint32_t min, max;
	const char *
	        words; /* TYPE_WORD: values, separated by spaces; TYPE_REFERENCE: the list's path */
	const char *later; /* TYPE_WORD: values known but not built */
};

#define NO_VALUE                            \
	{                                   \
		TYPE_NONE, 0, 0, NULL, NULL \
	}
#define VALUE(type)                    \
	{                              \
		type, 0, 0, NULL, NULL \
	}
#define UINT(min, max)                          \
	{                                       \
		TYPE_UINT, min, max, NULL, NULL \
	}
#define POWER2(min, max)                          \
	{                                         \
		TYPE_POWER2, min, max, NULL, NULL \
	}
#define TEXT(min, max)                          \
	{                                       \
		TYPE_TEXT, min, max, NULL, NULL \
	}
#define WORDS(words)                         \
	{                                    \
		TYPE_WORD, 0, 0, words, NULL \
	}
#define WORDS_LATER(words, later)             \
	{                                     \
		TYPE_WORD, 0, 0, words, later \
	}
#define REFERENCE(path)                          \
	{                                        \
		TYPE_REFERENCE, 0, 0, path, NULL \
	}
/* A row for what is known and refused; why replaces "not supported in this version". */
#define NOT_YET(word, help)                                                   \
	{                                                                     \
		word, LATER, NO_VALUE, NULL, NULL, EFFECT_NONE, 0, help, NULL \
	}
#define REFUSED(word, why, help)                                             \
	{                                                                    \
		word, LATER, NO_VALUE, NULL, why, EFFECT_NONE, 0, help, NULL \
	}

struct schema {
	const char *word; /* NULL ends a table */
	enum schema_kind kind;
	struct schema_value value;
	const char *unit; /* of the default in the documentation: "seconds" */
	const char *def;  /* default as one would write it; LATER: why it is refused */
	enum schema_effect effect;
	unsigned marks; /* enum schema_mark */
	const char *help;
	const struct schema *children;
};

/* The root, a container without a word. */
extern const struct schema schema_root;

/* Top-level tables, each in its file. */
extern const struct schema schema_chassis[], schema_interface[], schema_ike[], schema_ipsec[];
extern const struct schema schema_manual[];
extern const struct schema schema_zones[], schema_policies[], schema_routing[];

/* The row of that word, or of another spelling of it (DEC-17), in a table, or NULL. */
const struct schema *schema_find(const struct schema *table, const char *word);

/* The row at a path of words, names left out: "security ike proposal". NULL when there is none. */
const struct schema *schema_at(const char *path);

/* How many letters must be added, taken out or changed to make b of a; long words are far away. */
size_t schema_distance(const char *a, const char *b);

/* The known word that is spelled most like it, or NULL when none is near. */
const char *schema_nearest(const struct schema *table, const char *word);

/* The same in a list of words separated by spaces, copied to buf; false when none is near. */
bool schema_nearest_word(const char *words, const char *word, char *buf, size_t cap);

/* True when the list of words has that word. */
bool schema_has_word(const char *words, const char *word);

/* The i-th word into buf; false past the end. */
bool schema_word(const char *words, size_t i, char *buf, size_t cap);

/* For people: "180..86400", "clear | copy | set", "address/length". Returns buf. */
char *schema_value_text(const struct schema_value *v, char *buf, size_t cap);
const char *schema_effect_text(enum schema_effect e);

#endif
