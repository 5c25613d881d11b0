// SPDX-License-Identifier: BSD-2-Clause
/* The two roads for tests in other languages: reads a case per line, says what came of its packets.
 *
 *   in|out NAME=VALUE ... pkt=HEX [pkt=HEX ...]
 *
 * The names are those of an SA (see names[]); packets take the road one after another. The answer
 * is one line with a word for each: the packet that came out in hex, "consumed", "held", or
 * "drop:REASON" with '_' for blanks. With an argument ("inline") packets come and go through the
 * emulated NIC, and SAs that it takes are its own. Several SAs of one case: `sa NAME=VALUE ...`
 * lines before it. */
#include "rig.h"

#include <stdio.h>

enum { LINE_MAX_LEN = 1 << 17, WORDS_MAX = 128, SAS_MAX = 8 };

struct tool_sa {
	struct rig_sa spec;
	char local[64], remote[64], ts_local[64], ts_remote[64];
	uint8_t key[64], auth[64];
	uint64_t seq;
};

struct name {
	const char *name;
	size_t at, size;
};

/* clang-format off */
#define AT(field) offsetof(struct tool_sa, field), sizeof(((struct tool_sa *)0)->field)
static const struct name names[] = {
	{ "proto", AT(spec.protocol) },
	{ "cipher", AT(spec.cipher) },
	{ "bits", AT(spec.bits) },
	{ "integ", AT(spec.integ) },
	{ "esn", AT(spec.esn) },
	{ "udp", AT(spec.udp) },
	{ "manual", AT(spec.manual) },
	{ "tunnel", AT(spec.tunnel) },
	{ "window", AT(spec.window) },
	{ "epoch", AT(spec.epoch) },
	{ "instance", AT(spec.instance) },
	{ "seq", AT(seq) },
};
/* clang-format on */

static void die(const char *what, const char *word)
{
	(void)fprintf(stderr, "%s: %s\n", what, word);
	exit(2);
}

static size_t hex(const char *text, uint8_t *out, size_t cap)
{
	size_t n = strlen(text) / 2;
	unsigned int byte = 0;

	if (n > cap)
		die("too long", text);
	for (size_t i = 0; i < n; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			die("not hex", text);
		out[i] = (uint8_t)byte;
	}
	return n;
}

static bool set_number(struct tool_sa *t, const char *name, uint64_t x)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i].name, name) != 0)
			continue;
		memcpy((uint8_t *)t + names[i].at, &x, names[i].size); /* little endian */
		return true;
	}
	return false;
}

static void set(struct tool_sa *t, const char *name, const char *value)
{
	struct rig_sa *s = &t->spec;

	if (strcmp(name, "local") == 0)
		s->local = strcpy(t->local, value);
	else if (strcmp(name, "remote") == 0)
		s->remote = strcpy(t->remote, value);
	else if (strcmp(name, "ts_local") == 0)
		s->ts_local = strcpy(t->ts_local, value);
	else if (strcmp(name, "ts_remote") == 0)
		s->ts_remote = strcpy(t->ts_remote, value);
	else if (strcmp(name, "spi") == 0)
		s->spi_in = s->spi_out = (uint32_t)strtoul(value, NULL, 0);
	else if (strcmp(name, "key") == 0)
		(void)hex(value, t->key, sizeof(t->key));
	else if (strcmp(name, "auth") == 0)
		(void)hex(value, t->auth, sizeof(t->auth));
	else if (!set_number(t, name, strtoull(value, NULL, 0)))
		die("unknown name", name);
}

static void say(const struct rig_result *got)
{
	if (got->drop != DROP_NONE) {
		(void)printf("drop:");
		for (const char *c = drop_text(got->drop); *c; c++)
			(void)putchar(*c == ' ' ? '_' : *c);
	} else if (got->consumed) {
		(void)printf("consumed");
	} else if (got->len == 0) {
		(void)printf("held"); /* a fragment */
	}
	for (size_t i = 0; i < got->len; i++)
		(void)printf("%02x", got->ip[i]);
	(void)putchar(' ');
}

/* ---------------------------------------------------------------- one case */

static struct tool_sa sas[SAS_MAX];
static size_t n_sas;
static bool inline_engine;

static void fill(struct tool_sa *t, char *words[], size_t n, size_t *ret_used)
{
	size_t i = 0;

	*t = (struct tool_sa){ 0 };
	t->spec.tunnel = RIG_TUNNEL;
	for (; i < n && strncmp(words[i], "pkt=", 4) != 0; i++) {
		char *value = strchr(words[i], '=');
		if (value == NULL)
			die("no value", words[i]);
		*value = '\0';
		set(t, words[i], value + 1);
	}
	t->spec.key_in = t->spec.key_out = t->key;
	t->spec.auth_in = t->spec.auth_out = t->auth;
	*ret_used = i;
}

static void run(struct rig *rig, enum rig_road road, char *words[], size_t n)
{
	static uint8_t ip[RIG_FRAME_MAX];
	struct sa *made[SAS_MAX];
	size_t used = 0;

	fill(&sas[n_sas++], words, n, &used);
	for (size_t i = 0; i < n_sas; i++) {
		(void)rig_tunnel(rig, sas[i].spec.tunnel);
		made[i] = rig_sa(rig, &sas[i].spec);
		rig_seq(rig, made[i], sas[i].seq ? sas[i].seq : 1);
	}
	for (size_t i = used; i < n; i++) {
		size_t len = hex(words[i] + 4, ip, sizeof(ip));
		struct rig_result got = rig_run(rig, road, ip, len);
		say(&got);
	}
	(void)putchar('\n');
	(void)fflush(stdout);
	for (size_t i = 0; i < n_sas; i++) {
		sa_runtime_give(&rig->runtime, made[i]->in.slot);
		sa_runtime_give(&rig->runtime, made[i]->out.slot);
	}
	sa_table_clear(&rig->roads.sas);
	n_sas = 0;
}

/* The rig is built of assertions, which want to be in a test. */
START_TEST(serve)
{
	static char line[LINE_MAX_LEN];
	char *words[WORDS_MAX + 1];

	rig_eal_up();
	struct rig *rig = rig_new(inline_engine ? RIG_INLINE : RIG_SOFT);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		size_t n = 0, used = 0;

		for (char *w = strtok(line, " \n"); w && n < WORDS_MAX; w = strtok(NULL, " \n"))
			words[n++] = w;
		words[n] = NULL;
		if (n == 0)
			continue;
		if (strcmp(words[0], "sa") == 0 && n_sas < SAS_MAX - 1)
			fill(&sas[n_sas++], words + 1, n - 1, &used);
		else
			run(rig, strcmp(words[0], "in") == 0 ? RIG_IN : RIG_OUT, words + 1, n - 1);
	}
	rig_free(rig);
}
END_TEST

int main(int argc, char **argv)
{
	inline_engine = argc > 1 && strcmp(argv[1], "inline") == 0;

	Suite *s = suite_create("roads-tool");
	TCase *tc = tcase_create("serve");

	tcase_add_test(tc, serve);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_SILENT);
	int failed = srunner_ntests_failed(sr);
	TestResult **results = srunner_failures(sr);
	if (failed != 0)
		(void)fprintf(stderr, "roads-tool: %s\n", tr_msg(results[0]));
	free(results);
	srunner_free(sr);
	return failed != 0;
}
