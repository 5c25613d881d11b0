// SPDX-License-Identifier: BSD-2-Clause
#include "lex.h"

#include <stdlib.h>
#include <string.h>

void lex_init(struct lexer *lx, struct reader in)
{
	memset(lx, 0, sizeof(*lx));
	lx->in = in;
	lx->line = 1;
}

/* The next byte without taking it; -1 at the end. */
static int peek(const struct lexer *lx)
{
	return rd_left(&lx->in) ? lx->in.p[0] : -1;
}

static int peek2(const struct lexer *lx)
{
	return rd_left(&lx->in) > 1 ? lx->in.p[1] : -1;
}

static int take(struct lexer *lx)
{
	int c = peek(lx);

	if (c >= 0)
		(void)rd_u8(&lx->in);
	if (c == '\n')
		lx->line++;
	return c;
}

/* Length of the UTF-8 sequence that begins with c; 0 when none does (RFC 3629). */
static size_t utf8_len(uint8_t c)
{
	if (c < 0x80)
		return 1;
	return c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

/* Whatever is stored can be shown, also as JSON. Overlong forms and surrogates are refused. */
static bool utf8(const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_len(p[i]);
		if (n == 0 || n > len - i)
			return false;
		for (size_t k = 1; k < n; k++)
			if ((p[i + k] & 0xc0) != 0x80)
				return false;
		if (n > 2 &&
		    ((p[i] == 0xe0 && p[i + 1] < 0xa0) || (p[i] == 0xed && p[i + 1] > 0x9f) ||
		     (p[i] == 0xf0 && p[i + 1] < 0x90) || (p[i] == 0xf4 && p[i + 1] > 0x8f)))
			return false;
	}
	return true;
}

/* Indentation is the writer's, so that a line begins with its first letter. */
static void comment_put(struct lexer *lx, int c)
{
	bool begins = lx->comment_len == 0 || lx->comment[lx->comment_len - 1] == '\n';

	if (begins && (c == ' ' || c == '\t'))
		return;
	if (lx->comment_len + 1 < sizeof(lx->comment) && (c == '\n' || c == '\t' || c >= ' '))
		lx->comment[lx->comment_len++] = (char)c;
}

/* Takes blanks off the end. */
static void comment_trim(struct lexer *lx, size_t from)
{
	while (lx->comment_len > from && strchr(" \t\r\n", lx->comment[lx->comment_len - 1]))
		lx->comment_len--;
}

static void line_comment(struct lexer *lx)
{
	size_t start = lx->comment_len;
	bool behind = lx->last_line == lx->line; /* behind a statement: says nothing of the next */

	while (peek(lx) == '#')
		(void)take(lx);
	if (start)
		comment_put(lx, '\n');
	size_t text = lx->comment_len;
	while (peek(lx) >= 0 && peek(lx) != '\n')
		comment_put(lx, take(lx));
	comment_trim(lx, text);
	if (behind || lx->comment_len == text)
		lx->comment_len = start;
}

static enum err block_comment(struct lexer *lx, struct why *why)
{
	size_t start = lx->comment_len;
	bool behind = lx->last_line == lx->line;
	int last = 0;

	(void)take(lx);
	(void)take(lx);
	if (start)
		comment_put(lx, '\n');
	size_t text = lx->comment_len;
	for (;;) {
		int c = take(lx);

		if (c < 0)
			return why_set(why, ERR_TRUNCATED, "comment without its end, */");
		if (last == '*' && c == '/')
			break;
		if (last)
			comment_put(lx, last);
		last = c;
	}
	comment_trim(lx, text);
	if (behind || lx->comment_len == text)
		lx->comment_len = start;
	return ERR_OK;
}

/* Skips blanks and comments; stops at a line end when lines count. */
static enum err skip(struct lexer *lx, struct why *why)
{
	for (;;) {
		int c = peek(lx);

		if (c == '#')
			line_comment(lx);
		else if (c == '/' && peek2(lx) == '*')
			TRY(block_comment(lx, why));
		else if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && !lx->lines))
			(void)take(lx);
		else
			return ERR_OK;
	}
}

static const struct {
	char c;
	enum lex_mark mark;
} marks[] = {
	{ '{', LEX_OPEN }, { '}', LEX_CLOSE },    { ';', LEX_SEMICOLON },
	{ '[', LEX_LIST }, { ']', LEX_LIST_END }, { '\n', LEX_LINE },
};

static bool mark_of(int c, enum lex_mark *ret)
{
	if (c < 0) {
		*ret = LEX_END;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (marks[i].c == c) {
			*ret = marks[i].mark;
			return true;
		}
	return false;
}

static enum err word_done(char *buf, size_t len, struct lex_token *ret)
{
	ret->text = strndup(buf, len);
	explicit_bzero(buf, len); /* it may be a key */
	return ret->text ? ERR_OK : ERR_MEMORY;
}

static enum err quoted_word(struct lexer *lx, struct lex_token *ret, struct why *why)
{
	char buf[LEX_WORD_MAX];
	size_t len = 0;

	(void)take(lx);
	for (;;) {
		int c = peek(lx);

		if (c < 0 || c == '\n')
			return why_set(why, ERR_TRUNCATED, "string without its closing quote");
		(void)take(lx);
		if (c == '"')
			break;
		if (c == '\\' && (peek(lx) == '"' || peek(lx) == '\\'))
			c = take(lx);
		if (c < ' ' || c == 0x7f)
			return why_set(why, ERR_SYNTAX, "control character 0x%02x in a string", c);
		if (len == sizeof(buf) - 1)
			return why_set(why, ERR_LENGTH, "string longer than %d bytes",
			               LEX_WORD_MAX - 1);
		buf[len++] = (char)c;
	}
	if (!utf8(buf, len))
		return why_set(why, ERR_SYNTAX, "a string is not valid UTF-8");
	ret->quoted = true;
	return word_done(buf, len, ret);
}

static enum err plain_word(struct lexer *lx, struct lex_token *ret, struct why *why)
{
	char buf[LEX_WORD_MAX];
	size_t len = 0;
	enum lex_mark ignored;

	for (;;) {
		int c = peek(lx);

		if (mark_of(c, &ignored) || c == ' ' || c == '\t' || c == '\r' || c == '"')
			break;
		if (c < ' ' || c > '~')
			return why_set(why, ERR_SYNTAX, "character 0x%02x outside a quoted string",
			               take(lx));
		if (len == sizeof(buf) - 1)
			return why_set(why, ERR_LENGTH, "word longer than %d bytes",
			               LEX_WORD_MAX - 1);
		buf[len++] = (char)take(lx);
	}
	return word_done(buf, len, ret);
}

static enum err next(struct lexer *lx, struct lex_token *ret, struct why *why)
{
	*ret = (struct lex_token){ .mark = LEX_WORD };
	TRY(skip(lx, why));
	ret->line = lx->line;
	lx->last_line = lx->line;
	if (mark_of(peek(lx), &ret->mark)) {
		(void)take(lx);
		return ERR_OK;
	}
	return peek(lx) == '"' ? quoted_word(lx, ret, why) : plain_word(lx, ret, why);
}

static enum err push(struct lex_words *w, const struct lex_token *t, struct why *why)
{
	if (w->n == LEX_WORDS_MAX)
		return why_set(why, ERR_LENGTH, "statement of more than %d words", LEX_WORDS_MAX);
	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 16;
		struct lex_token *at = reallocarray(w->at, cap, sizeof(at[0]));

		if (at == NULL)
			return why_set(why, ERR_MEMORY, "out of memory");
		w->at = at;
		w->cap = cap;
	}
	w->at[w->n++] = *t;
	return ERR_OK;
}

enum err lex_statement(struct lexer *lx, struct lex_words *ret, struct why *why)
{
	memset(ret, 0, sizeof(*ret));
	for (;;) {
		struct lex_token t;

		TRY(next(lx, &t, why));
		if (t.mark != LEX_WORD && t.mark != LEX_LIST && t.mark != LEX_LIST_END) {
			ret->end = t.mark;
			ret->end_line = t.line;
			return ERR_OK;
		}
		enum err e = push(ret, &t, why);
		if (e) {
			free(t.text);
			return e;
		}
	}
}

void lex_words_done(struct lex_words *w)
{
	for (size_t i = 0; i < w->n; i++) {
		if (w->at[i].text)
			explicit_bzero(w->at[i].text, strlen(w->at[i].text));
		free(w->at[i].text);
	}
	free(w->at);
	memset(w, 0, sizeof(*w));
}

void lex_resume(struct lexer *lx)
{
	for (;;) {
		int c = take(lx);

		if (c < 0 || c == '\n' || (c == ';' && !lx->lines))
			return;
	}
}

enum err lex_peek(struct lexer *lx, char *buf, size_t cap, struct why *why)
{
	struct lex_token t;

	buf[0] = 0;
	lx->lines = false;
	TRY(skip(lx, why));
	struct lexer ahead = *lx;
	if (next(&ahead, &t, NULL) || t.mark != LEX_WORD)
		return ERR_OK; /* said when it is read */
	if (!t.quoted && strlen(t.text) < cap)
		memcpy(buf, t.text, strlen(t.text) + 1);
	explicit_bzero(t.text, strlen(t.text));
	free(t.text);
	return ERR_OK;
}

char *lex_take_comment(struct lexer *lx)
{
	bool sound = utf8(lx->comment, lx->comment_len);

	for (size_t i = 0; !sound && i < lx->comment_len; i++)
		if ((uint8_t)lx->comment[i] >= 0x80)
			lx->comment[i] = '?';
	char *copy = lx->comment_len ? strndup(lx->comment, lx->comment_len) : NULL;
	lx->comment_len = 0;
	return copy;
}
