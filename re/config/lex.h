/* SPDX-License-Identifier: BSD-2-Clause */
/* Words and marks of a configuration file, read through the bounded reader.
 *
 * Marks are { } ; [ ] and the end of a line, which counts in set lines only. Comments are # to the
 * end of the line and the C form; the one before a statement is kept for it. Any thread. */
#ifndef LEX_H
#define LEX_H
#include "errors.h"
#include "reader.h"
#include <stdbool.h>
#include <stdint.h>

#define LEX_WORD_MAX 1024  /* bytes of one word */
#define LEX_WORDS_MAX 2048 /* words of one statement */
#define LEX_COMMENT_MAX 2048

enum lex_mark {
	LEX_WORD,
	LEX_OPEN,
	LEX_CLOSE,
	LEX_SEMICOLON,
	LEX_LIST,
	LEX_LIST_END,
	LEX_LINE,
	LEX_END
};

struct lex_token {
	enum lex_mark mark;
	char *text; /* LEX_WORD: owns */
	bool quoted;
	uint32_t line;
};

struct lexer {
	struct reader in;
	uint32_t line;
	bool lines;         /* report the end of each line */
	uint32_t last_line; /* where the last token stood */
	char comment[LEX_COMMENT_MAX];
	size_t comment_len;
};

/* The words of one statement. */
struct lex_words {
	struct lex_token *at; /* owns */
	size_t n, cap;
	enum lex_mark end; /* what ended it: ; { } line end */
	uint32_t end_line;
};

void lex_init(struct lexer *lx, struct reader in);

/* Reads one statement up to ; { or } (or, with lx->lines, the end of the line). On an error why has
 * the text, without place; lx->line has the line. The words are freed by lex_words_done() in any
 * case. */
enum err lex_statement(struct lexer *lx, struct lex_words *ret, struct why *why) MUST_CHECK;
void lex_words_done(struct lex_words *w);

/* After an error: skips to behind the next ; or line end, so that the next statement is read. */
void lex_resume(struct lexer *lx);

/* Goes over blanks and comments to the next statement, and copies its first word without taking it;
 * empty when there is none. */
enum err lex_peek(struct lexer *lx, char *buf, size_t cap, struct why *why) MUST_CHECK;

/* Takes the comment that stood before the last statement; NULL when there was none. The caller
 * frees it. */
char *lex_take_comment(struct lexer *lx);

#endif
