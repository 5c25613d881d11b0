// SPDX-License-Identifier: BSD-2-Clause
#include "ere.h"

#include <ctype.h>
#include <stdlib.h>

enum { CODE_MAX = 1024, SETS_MAX = 64, DEPTH_MAX = 32, REPEAT_MAX = 255, LITERAL_MAX = 32 };
enum { WORDS = CODE_MAX / 64 };

enum op { OP_CHAR, OP_ANY, OP_SET, OP_SPLIT, OP_JUMP, OP_BEGIN, OP_END, OP_MATCH };

struct set {
	uint32_t bit[8];
};

/* Jumps are relative, so that a piece of code may be moved and copied. */
struct inst {
	_Alignas(struct set) uint8_t op;
	uint8_t c;
	int16_t x, y; /* OP_SET: the set's number in x */
};

/* Most texts are refused by what every match begins and ends with, without running anything. */
struct ere {
	uint16_t n;
	bool fold;
	uint8_t prefix_len, suffix_len;
	uint8_t prefix[LITERAL_MAX], suffix[LITERAL_MAX];
	struct set *set;    /* behind the code */
	struct inst code[]; /* n of them */
};

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* ---- a pattern becomes code ------------------------------------------------------------------ */

struct compile {
	const char *pattern, *at;
	bool fold;
	int depth;
	struct why *why;
	size_t n, sets;
	struct inst code[CODE_MAX];
	struct set set[SETS_MAX];
};

static enum err wrong(struct compile *c, const char *at, const char *what)
{
	return why_set(c->why, ERR_SYNTAX, "at character %zu: %s", (size_t)(at - c->pattern) + 1,
	               what);
}

static enum err emit(struct compile *c, struct inst i)
{
	if (c->n == CODE_MAX - 1) /* one is left for OP_MATCH */
		return wrong(c, c->at, "the expression is too large");
	c->code[c->n++] = i;
	return ERR_OK;
}

static enum err insert(struct compile *c, size_t at, struct inst i)
{
	TRY(emit(c, i));
	memmove(&c->code[at + 1], &c->code[at], (c->n - 1 - at) * sizeof(i));
	c->code[at] = i;
	return ERR_OK;
}

static void set_add(struct set *s, uint8_t ch, bool fold)
{
	s->bit[ch / 32] |= 1u << ch % 32;
	if (!fold)
		return;
	if (ch >= 'A' && ch <= 'Z')
		s->bit[(ch + 32) / 32] |= 1u << (ch + 32) % 32;
	else if (ch >= 'a' && ch <= 'z')
		s->bit[(ch - 32) / 32] |= 1u << (ch - 32) % 32;
}

static bool set_has(const struct set *s, uint8_t ch)
{
	return s->bit[ch / 32] >> ch % 32 & 1;
}

/* The classes of the POSIX locale. */
static const struct {
	const char *name;
	int (*is)(int c);
} classes[] = {
	{ "alnum", isalnum }, { "alpha", isalpha }, { "blank", isblank }, { "cntrl", iscntrl },
	{ "digit", isdigit }, { "graph", isgraph }, { "lower", islower }, { "print", isprint },
	{ "punct", ispunct }, { "space", isspace }, { "upper", isupper }, { "xdigit", isxdigit },
};

/* [:name:] inside of a bracket expression; c->at stands behind its "[:". */
static enum err read_class(struct compile *c, struct set *s)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		size_t len = strlen(classes[i].name);

		if (strncmp(c->at, classes[i].name, len) != 0 || c->at[len] != ':' ||
		    c->at[len + 1] != ']')
			continue;
		for (int ch = 0; ch < 128; ch++)
			if (classes[i].is(ch))
				set_add(s, (uint8_t)ch, c->fold);
		c->at += len + 2;
		return ERR_OK;
	}
	return wrong(c, c->at - 2, "no such character class");
}

/* One element: a class, a character, or a range of them. */
static enum err read_element(struct compile *c, struct set *s)
{
	const char *from = c->at;

	if (c->at[0] == '[' && (c->at[1] == '.' || c->at[1] == '='))
		return wrong(c, c->at, "collating elements are not supported");
	if (c->at[0] == '[' && c->at[1] == ':') {
		c->at += 2;
		return read_class(c, s);
	}
	uint8_t first = (uint8_t)*c->at++, last = first;
	if (c->at[0] == '-' && c->at[1] != ']' && c->at[1] != 0) {
		last = (uint8_t)c->at[1];
		c->at += 2;
	}
	if (last < first)
		return wrong(c, from, "the range ends before it begins");
	for (int ch = first; ch <= last; ch++)
		set_add(s, (uint8_t)ch, c->fold);
	return ERR_OK;
}

/* A bracket expression; c->at stands behind its "[". */
static enum err read_set(struct compile *c)
{
	const char *open = c->at - 1;
	struct set s = { { 0 } };
	bool negated = *c->at == '^';

	c->at += negated;
	do {
		if (*c->at == 0)
			return wrong(c, open, "[ is not closed");
		TRY(read_element(c, &s));
	} while (*c->at != ']');
	c->at++;
	for (size_t i = 0; negated && i < ARRAY_LEN(s.bit); i++)
		s.bit[i] = ~s.bit[i];
	if (c->sets == SETS_MAX)
		return wrong(c, open, "too many bracket expressions");
	c->set[c->sets] = s;
	return emit(c, (struct inst){ .op = OP_SET, .x = (int16_t)c->sets++ });
}

static enum err read_alternatives(struct compile *c);

static enum err read_group(struct compile *c)
{
	const char *open = c->at - 1;

	if (++c->depth > DEPTH_MAX)
		return wrong(c, open, "too many groups inside one another");
	TRY(read_alternatives(c));
	if (*c->at != ')')
		return wrong(c, open, "( is not closed");
	c->at++;
	c->depth--;
	return ERR_OK;
}

static enum err emit_char(struct compile *c, char ch)
{
	uint8_t b = c->fold ? lower((uint8_t)ch) : (uint8_t)ch;

	return emit(c, (struct inst){ .op = OP_CHAR, .c = b });
}

static enum err read_escape(struct compile *c)
{
	char ch = *c->at;

	if (ch == 0)
		return wrong(c, c->at - 1, "nothing follows the backslash");
	if (isalnum((unsigned char)ch))
		return wrong(c, c->at - 1, "a backslash before a letter or digit means nothing");
	c->at++;
	return emit_char(c, ch);
}

/* What may be repeated. */
static enum err read_atom(struct compile *c)
{
	char ch = *c->at++;

	switch (ch) {
	case '(':
		return read_group(c);
	case '[':
		return read_set(c);
	case '.':
		return emit(c, (struct inst){ .op = OP_ANY });
	case '\\':
		return read_escape(c);
	case '*':
	case '+':
	case '?':
	case '{':
		return wrong(c, c->at - 1, "there is nothing to repeat");
	default:
		return emit_char(c, ch);
	}
}

/* A number of at most REPEAT_MAX; -1 where there is none. */
static enum err read_count(struct compile *c, int *ret)
{
	*ret = -1;
	while (isdigit((unsigned char)*c->at)) {
		*ret = (*ret < 0 ? 0 : *ret) * 10 + (*c->at - '0');
		if (*ret > REPEAT_MAX)
			return wrong(c, c->at, "more than 255 repetitions");
		c->at++;
	}
	return ERR_OK;
}

/* {m} {m,} {m,n}; c->at stands behind "{". *ret_max < 0: no end. */
static enum err read_bounds(struct compile *c, int *ret_min, int *ret_max)
{
	const char *open = c->at - 1;

	TRY(read_count(c, ret_min));
	*ret_max = *ret_min;
	if (*c->at == ',') {
		c->at++;
		TRY(read_count(c, ret_max));
	}
	if (*c->at != '}' || *ret_min < 0)
		return wrong(c, open, "expected {m}, {m,} or {m,n}");
	c->at++;
	if (*ret_max >= 0 && *ret_max < *ret_min)
		return wrong(c, open, "the bounds are the wrong way round");
	return ERR_OK;
}

static enum err copy(struct compile *c, size_t from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		TRY(emit(c, c->code[from + i]));
	return ERR_OK;
}

/* The code from `from` to the end min times, then up to max times. */
static enum err repeat(struct compile *c, size_t from, int min, int max)
{
	size_t len = c->n - from;
	int16_t l = (int16_t)len;

	if (max == 0) {
		c->n = from;
		return ERR_OK;
	}
	if (min == 0 && max < 0) {
		TRY(insert(c, from, (struct inst){ OP_SPLIT, 0, 1, (int16_t)(l + 2) }));
		return emit(c, (struct inst){ OP_JUMP, 0, (int16_t)(-l - 1), 0 });
	}
	for (int i = 1; i < min; i++)
		TRY(copy(c, from, len));
	if (max < 0)
		return emit(c, (struct inst){ OP_SPLIT, 0, (int16_t)-l, 1 });
	if (min == 0) { /* the first copy is optional too */
		TRY(insert(c, from++, (struct inst){ OP_SPLIT, 0, 1, (int16_t)(l + 1) }));
		min = 1;
	}
	for (int i = min; i < max; i++) {
		TRY(emit(c, (struct inst){ OP_SPLIT, 0, 1, (int16_t)(l + 1) }));
		TRY(copy(c, from, len));
	}
	return ERR_OK;
}

static enum err read_piece(struct compile *c)
{
	size_t from = c->n;

	if (*c->at == '^' || *c->at == '$') {
		uint8_t op = *c->at == '^' ? OP_BEGIN : OP_END;

		c->at++;
		if (*c->at && strchr("*+?{", *c->at))
			return wrong(c, c->at, "there is nothing to repeat");
		return emit(c, (struct inst){ .op = op });
	}
	TRY(read_atom(c));
	while (*c->at && strchr("*+?{", *c->at)) {
		int min = *c->at == '+', max = *c->at == '?' ? 1 : -1;

		if (*c->at++ == '{')
			TRY(read_bounds(c, &min, &max));
		TRY(repeat(c, from, min, max));
	}
	return ERR_OK;
}

static enum err read_branch(struct compile *c)
{
	if (*c->at == 0 || *c->at == '|' || *c->at == ')')
		return wrong(c, c->at, "an empty alternative");
	while (*c->at && *c->at != '|' && *c->at != ')')
		TRY(read_piece(c));
	return ERR_OK;
}

static enum err read_alternatives(struct compile *c)
{
	size_t jumps =
	        0; /* where the last jump to the end is, plus one; each holds the one before */

	for (;;) {
		size_t from = c->n;

		TRY(read_branch(c));
		if (*c->at != '|')
			break;
		c->at++;
		int16_t len = (int16_t)(c->n - from);
		TRY(insert(c, from, (struct inst){ OP_SPLIT, 0, 1, (int16_t)(len + 2) }));
		TRY(emit(c, (struct inst){ OP_JUMP, 0, (int16_t)jumps, 0 }));
		jumps = c->n;
	}
	while (jumps) {
		struct inst *jump = &c->code[jumps - 1];
		size_t before = (size_t)jump->x;

		jump->x = (int16_t)(c->n - (jumps - 1));
		jumps = before;
	}
	return ERR_OK;
}

/* ---- what every match begins and ends with --------------------------------------------------- */

static void find_prefix(struct ere *e)
{
	size_t i = 0;

	while (e->code[i].op == OP_BEGIN)
		i++;
	while (e->code[i].op == OP_CHAR && e->prefix_len < LITERAL_MAX)
		e->prefix[e->prefix_len++] = e->code[i++].c;
}

/* The characters before the end that no jump goes past. */
static void find_suffix(struct ere *e)
{
	size_t end = e->n - 1u, from = 0;

	while (end > 0 && e->code[end - 1].op == OP_END)
		end--;
	for (size_t i = 0; i < e->n; i++) {
		const struct inst *in = &e->code[i];
		size_t x = (size_t)((int)i + in->x), y = (size_t)((int)i + in->y);

		if (in->op != OP_SPLIT && in->op != OP_JUMP)
			continue;
		from = x > from ? x : from;
		from = in->op == OP_SPLIT && y > from ? y : from;
	}
	while (end > from && e->code[end - 1].op == OP_CHAR && e->suffix_len < LITERAL_MAX) {
		e->suffix_len++;
		e->suffix[LITERAL_MAX - e->suffix_len] = e->code[--end].c;
	}
}

enum err ere_new(const char *pattern, bool fold, struct ere **ret, struct why *why)
{
	struct compile *c = calloc(1, sizeof(*c));
	struct ere *e = NULL;

	if (c == NULL)
		return ERR_MEMORY;
	c->pattern = c->at = pattern;
	c->fold = fold;
	c->why = why;
	enum err err = read_alternatives(c);
	if (err == ERR_OK && *c->at)
		err = wrong(c, c->at, ") closes nothing");
	if (err == ERR_OK) {
		c->code[c->n++] = (struct inst){ .op = OP_MATCH };
		e = calloc(1, sizeof(*e) + c->n * sizeof(c->code[0]) + c->sets * sizeof(c->set[0]));
		err = e ? ERR_OK : ERR_MEMORY;
	}
	if (e) {
		e->n = (uint16_t)c->n;
		e->fold = fold;
		memcpy(e->code, c->code, c->n * sizeof(c->code[0]));
		e->set = (struct set *)(void *)&e->code[c->n];
		memcpy(e->set, c->set, c->sets * sizeof(c->set[0]));
		find_prefix(e);
		find_suffix(e);
		*ret = e;
	}
	free(c);
	return err;
}

void ere_free(struct ere *e)
{
	free(e);
}

/* ---- a text is followed through the code ----------------------------------------------------- */

struct follow {
	const struct ere *e;
	size_t at, len; /* of the text */
	uint16_t stack[CODE_MAX];
};

static bool mark(uint64_t *states, size_t pc)
{
	uint64_t bit = 1ull << pc % 64, was = states[pc / 64];

	states[pc / 64] = was | bit;
	return !(was & bit);
}

/* pc and all that is reached from it without a character. Each is pushed once. */
static void enter(struct follow *f, uint64_t *states, size_t pc)
{
	size_t n = 0;

	if (mark(states, pc))
		f->stack[n++] = (uint16_t)pc;
	while (n) {
		size_t at = f->stack[--n];
		const struct inst *in = &f->e->code[at];
		bool split = in->op == OP_SPLIT, jump = in->op == OP_JUMP;
		bool pass =
		        (in->op == OP_BEGIN && f->at == 0) || (in->op == OP_END && f->at == f->len);
		size_t x = pass ? at + 1 : (size_t)((int)at + in->x);

		if ((split || jump || pass) && mark(states, x))
			f->stack[n++] = (uint16_t)x;
		if (split && mark(states, (size_t)((int)at + in->y)))
			f->stack[n++] = (uint16_t)((int)at + in->y);
	}
}

static bool takes(const struct ere *e, const struct inst *in, uint8_t ch)
{
	return in->op == OP_ANY || (in->op == OP_CHAR && in->c == ch) ||
	       (in->op == OP_SET && set_has(&e->set[in->x], ch));
}

static bool run(const struct ere *e, struct view text)
{
	uint64_t states[2][WORDS];
	struct follow f;
	size_t words = (e->n + 63u) / 64;

	f.e = e;
	f.at = 0;
	f.len = text.len;
	memset(states, 0, sizeof(states));
	enter(&f, states[0], 0);
	for (size_t i = 0; i < text.len; i++) {
		uint64_t *now = states[i % 2], *next = states[1 - i % 2];
		uint8_t ch = e->fold ? lower(text.p[i]) : text.p[i];

		memset(next, 0, words * sizeof(*next));
		f.at = i + 1;
		for (size_t w = 0; w < words; w++)
			for (uint64_t left = now[w]; left; left &= left - 1) {
				size_t pc = w * 64 + (size_t)__builtin_ctzll(left);

				if (takes(e, &e->code[pc], ch))
					enter(&f, next, pc + 1);
			}
	}
	return states[text.len % 2][(e->n - 1u) / 64] >> (e->n - 1u) % 64 & 1;
}

static bool is_at(const struct ere *e, const uint8_t *text, const uint8_t *literal, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((e->fold ? lower(text[i]) : text[i]) != literal[i])
			return false;
	return true;
}

bool ere_match(const struct ere *e, struct view text)
{
	if (text.len < e->prefix_len || text.len < e->suffix_len ||
	    !is_at(e, text.p, e->prefix, e->prefix_len) ||
	    !is_at(e, text.p + text.len - e->suffix_len, e->suffix + LITERAL_MAX - e->suffix_len,
	           e->suffix_len))
		return false;
	return run(e, text);
}
