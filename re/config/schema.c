// SPDX-License-Identifier: BSD-2-Clause
#include "schema.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 64

static const struct schema *find(const struct schema *table, const char *word)
{
	for (const struct schema *row = table; row && row->word; row++)
		if (strcmp(row->word, word) == 0)
			return row;
	return NULL;
}

/* DEC-17: read, and written the other way from then on. */
static const struct {
	const char *spelling, *word;
} aliases[] = {
	{ "threshold", "thresholds" },
	{ "reduced-timeout", "reduce-timeout" },
};

const struct schema *schema_find(const struct schema *table, const char *word)
{
	const struct schema *row = find(table, word);

	for (size_t i = 0; row == NULL && i < ARRAY_LEN(aliases); i++)
		if (strcmp(aliases[i].spelling, word) == 0)
			row = find(table, aliases[i].word);
	return row;
}

const struct schema *schema_at(const char *path)
{
	const struct schema *row = &schema_root;
	char word[WORD_MAX];

	for (size_t i = 0; row && schema_word(path, i, word, sizeof(word)); i++)
		row = schema_find(row->children, word);
	return row;
}

bool schema_word(const char *words, size_t i, char *buf, size_t cap)
{
	const char *p = words;

	for (; i > 0 && *p; i--) {
		p += strcspn(p, " ");
		p += strspn(p, " ");
	}
	size_t n = strcspn(p, " ");
	if (n == 0 || n >= cap)
		return false;
	memcpy(buf, p, n);
	buf[n] = 0;
	return true;
}

bool schema_has_word(const char *words, const char *word)
{
	char one[WORD_MAX];

	for (size_t i = 0; schema_word(words, i, one, sizeof(one)); i++)
		if (strcmp(one, word) == 0)
			return true;
	return false;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's; words of WORD_MAX bytes and more are far from everything. */
size_t schema_distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1];
	size_t n = strlen(b);

	if (n >= WORD_MAX || strlen(a) >= WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t up = row[j];

			row[j] = min3(up + 1, row[j - 1] + 1, corner + (a[i - 1] != b[j - 1]));
			corner = up;
		}
	}
	return row[n];
}

/* The best so far. A third of the word may differ; a beginning counts as near. */
struct nearest {
	const char *word;
	size_t best;
};

static bool nearer(struct nearest *n, const char *word, const char *candidate)
{
	size_t d = schema_distance(word, candidate);
	size_t len = strlen(word);

	if (len >= 2 && strncmp(word, candidate, len) == 0)
		d = 1;
	if (d > 1 + len / 3 || d >= n->best)
		return false;
	n->best = d;
	return true;
}

const char *schema_nearest(const struct schema *table, const char *word)
{
	struct nearest n = { NULL, WORD_MAX };

	for (const struct schema *row = table; row && row->word; row++)
		if (nearer(&n, word, row->word))
			n.word = row->word;
	return n.word;
}

bool schema_nearest_word(const char *words, const char *word, char *buf, size_t cap)
{
	struct nearest n = { NULL, WORD_MAX };
	char one[WORD_MAX];
	bool found = false;

	for (size_t i = 0; schema_word(words, i, one, sizeof(one)); i++)
		if (nearer(&n, word, one)) {
			(void)snprintf(buf, cap, "%s", one);
			found = true;
		}
	return found;
}

static const char *const type_texts[SCHEMA_TYPES] = {
	[TYPE_NONE] = "",
	[TYPE_NAME] = "name",
	[TYPE_TEXT] = "text",
	[TYPE_ADDRESS] = "IP address",
	[TYPE_ADDRESS4] = "IPv4 address",
	[TYPE_ADDRESS6] = "IPv6 address",
	[TYPE_PEER] = "IP address",
	[TYPE_PREFIX] = "address/length",
	[TYPE_PREFIX4] = "IPv4 address/length",
	[TYPE_PREFIX6] = "IPv6 address/length",
	[TYPE_HOST4] = "IPv4 address/length",
	[TYPE_HOST6] = "IPv6 address/length",
	[TYPE_INTERFACE] = "interface",
	[TYPE_DEVICE] = "Linux device",
	[TYPE_UNIT] = "interface.unit",
	[TYPE_NEXT_HOP] = "IP address or st0.N",
	[TYPE_HOSTNAME] = "domain name",
	[TYPE_EMAIL] = "user@host",
	[TYPE_KEY_TEXT] = "secret, 1 to 255 characters",
	[TYPE_KEY_HEX] = "secret, 2 to 510 hexadecimal digits",
	[TYPE_HEX] = "2 to 510 hexadecimal digits",
	[TYPE_RATE] = "1..86400, or 1..86400/1..86400 seconds",
};

/* "a | b | c" */
static void words_text(const char *words, char *buf, size_t cap)
{
	char one[WORD_MAX];
	size_t len = 0;

	buf[0] = 0;
	for (size_t i = 0; len < cap && schema_word(words, i, one, sizeof(one)); i++) {
		int n = snprintf(buf + len, cap - len, "%s%s", i ? " | " : "", one);
		len += n > 0 ? (size_t)n : 0;
	}
}

char *schema_value_text(const struct schema_value *v, char *buf, size_t cap)
{
	switch (v->type) {
	case TYPE_UINT:
		(void)snprintf(buf, cap, "%u..%u", v->min, v->max);
		break;
	case TYPE_POWER2:
		(void)snprintf(buf, cap, "%u..%u, a power of two", v->min, v->max);
		break;
	case TYPE_WORD:
		words_text(v->words, buf, cap);
		break;
	case TYPE_REFERENCE:
		(void)snprintf(buf, cap, "name of a %s", v->words);
		break;
	default:
		(void)snprintf(buf, cap, "%s", type_texts[v->type]);
		break;
	}
	return buf;
}

static const char *const effect_texts[SCHEMA_EFFECTS] = {
	[EFFECT_NONE] = "none",
	[EFFECT_NEXT] = "from the next negotiation on",
	[EFFECT_CHILDREN] = "its IPsec SAs are deleted and negotiated anew",
	[EFFECT_PEER] = "SAs of the gateway are cleared",
	[EFFECT_TUNNEL] = "SAs of the tunnel are cleared",
	[EFFECT_START] = "immediately: IKE starts",
};

const char *schema_effect_text(enum schema_effect e)
{
	return e < SCHEMA_EFFECTS ? effect_texts[e] : "";
}
