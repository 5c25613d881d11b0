// SPDX-License-Identifier: BSD-2-Clause
/* Reaches config_load() and the writers of both forms. Input: a configuration file.
 * Holds: a file is either loaded or has an error that says so; what was written in one of the forms
 * is read back without an error, and written again it is the same. */
#include "fuzz.h"
#include "grammar.h"
#include "model.h"
#include "report.h"

#include <assert.h>
#include <string.h>

enum { FUZZ_TEXT_MAX = 1 << 22 };

/* Writes what text says in one of the forms. False when the text has an error. */
static bool rewrite(struct reader text, enum grammar_form form, struct text *out)
{
	struct config_report report;
	struct tree *t = tree_new();

	assert(t);
	report_init(&report, "fuzz");
	bool ok = grammar_read(t, text, &report) == ERR_OK;
	assert(ok == (report.errors == 0));
	text_init(out, FUZZ_TEXT_MAX);
	if (ok)
		assert(grammar_write(tree_root(t), form, out) == ERR_OK);
	report_done(&report);
	tree_free(t);
	return ok;
}

static void check_form(struct reader text, enum grammar_form form)
{
	struct text once, twice;

	if (rewrite(text, form, &once)) {
		assert(rewrite(rd_of(text_of(&once), once.len), form, &twice));
		assert(strcmp(text_of(&once), text_of(&twice)) == 0);
		text_done(&twice);
	}
	text_done(&once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_report report;
	struct config *config = NULL;

	report_init(&report, "fuzz");
	enum err e = config_load("fuzz", rd_of(data, size), &config, &report);
	assert((e == ERR_OK) == (config != NULL));
	assert((e == ERR_OK) == (report.errors == 0));
	config_free(config);
	report_done(&report);
	check_form(rd_of(data, size), GRAMMAR_BRACES);
	check_form(rd_of(data, size), GRAMMAR_SET);
	return 0;
}
