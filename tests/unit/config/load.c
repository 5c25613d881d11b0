// SPDX-License-Identifier: BSD-2-Clause
#include "load.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void load_text(const char *text, struct loaded *ret)
{
	size_t len = 0;

	memset(ret, 0, sizeof(*ret));
	report_init(&ret->report, "test.conf");
	ret->e = config_load("test.conf", rd_of(text, strlen(text)), &ret->config, &ret->report);
	for (size_t i = 0; i < ret->report.messages && len + 1200 < sizeof(ret->messages); i++) {
		report_text(&ret->report, i, ret->messages + len, 1100);
		len += strlen(ret->messages + len);
		ret->messages[len++] = '\n';
	}
}

void load_done(struct loaded *l)
{
	config_free(l->config);
	report_done(&l->report);
}

char *load_rewrite(const char *text, enum grammar_form form)
{
	struct config_report report;
	struct tree *t = tree_new();
	struct text out;
	char line[1200];

	report_init(&report, "test.conf");
	text_init(&out, 1 << 20);
	ck_assert_ptr_nonnull(t);
	enum err e = grammar_read(t, rd_of(text, strlen(text)), &report);
	ck_assert_msg(e == ERR_OK, "%s\n%s", text,
	              report.messages ? report_text(&report, 0, line, sizeof(line)) : "");
	ck_assert_int_eq(grammar_write(tree_root(t), form, &out), ERR_OK);
	char *copy = strdup(text_of(&out));
	text_done(&out);
	tree_free(t);
	report_done(&report);
	ck_assert_ptr_nonnull(copy);
	return copy;
}

char *load_file(const char *path)
{
	FILE *f = fopen(path, "r");

	ck_assert_msg(f != NULL, "%s: cannot be opened", path);
	char *buf = calloc(1, 1 << 20);
	ck_assert_ptr_nonnull(buf);
	size_t n = fread(buf, 1, (1 << 20) - 1, f);
	(void)fclose(f);
	buf[n] = 0;
	return buf;
}
