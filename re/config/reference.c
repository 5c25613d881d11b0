// SPDX-License-Identifier: BSD-2-Clause
#include "reference.h"

#include "schema.h"
#include "tree.h"

#include <stdio.h>
#include <string.h>

static const char intro[] =
        "# Configuration\n"
        "\n"
        "<!-- Printed from the tables in re/config/schema_*.c by `ninja -C build "
        "docs-configuration`. -->\n"
        "\n"
        "Hawser reads `/etc/hawser/hawser.conf` (or the file behind `hawserd -f`). Its language is "
        "Junos':\n"
        "statements in braces, or `set` lines, or both in one file. These two say the same:\n"
        "\n"
        "```\n"
        "security {\n"
        "    ike {\n"
        "        proposal p1 {\n"
        "            dh-group group19;\n"
        "            lifetime-seconds 3600;\n"
        "        }\n"
        "    }\n"
        "}\n"
        "```\n"
        "\n"
        "```\n"
        "set security ike proposal p1 dh-group group19 lifetime-seconds 3600\n"
        "```\n"
        "\n"
        "- A set line may go on with further statements of the same container, as above. Lines "
        "that begin with\n"
        "  `delete`, `deactivate`, `activate` and `insert ... before|after ...` are applied in "
        "their order. In\n"
        "  braces, `inactive:` before a statement deactivates it: it is kept and shown, without "
        "effect.\n"
        "- Several values stand in brackets: `proposals [ p1 p2 ];`. Text with blanks stands in "
        "quotes. `#` begins\n"
        "  a comment, as does `/* ... */`.\n"
        "- Names have 1 to 63 letters, digits and `- _ . : /`.\n"
        "- Interfaces have their Linux name (`eth1`) or a Junos name (`ge-0/0/3`, `lo0`, `st0`). A "
        "Junos name means\n"
        "  the Linux device that `interfaces NAME device` gives, else the one named like it with "
        "`/` written `-`.\n"
        "- Secrets are shown as `\"$9$...\"`, which can be read back; it hides them from a glance, "
        "not from anybody\n"
        "  who has the file. Keep the file readable for root only.\n"
        "\n"
        "`hawser-re --check -f FILE` checks a file; `request system configuration load FILE` puts "
        "it in force on a\n"
        "running system. A file with an error changes nothing. Messages name file, line, statement "
        "and what would\n"
        "be right:\n"
        "\n"
        "```\n"
        "hawser.conf:12: error: security ike gateway gw1 ike-policy: policy \"x\" does not exist; "
        "known: a, b\n"
        "```\n"
        "\n"
        "What is left out of a proposal is filled from the *modern* profile, which is the default "
        "in the tables.\n"
        "Where several algorithms stand there, all are offered, the first one is preferred.\n"
        "\n"
        "In the tables, *when changed* says what the change does to SAs that are up. **Hawser** "
        "marks statements\n"
        "that Junos does not have. *required* means that its container is not complete without "
        "it.\n";

static const char *plural(const struct schema *row)
{
	return row->kind == LEAF_LIST ? "[ ... ] " : "";
}

static bool has_own_table(const struct schema *row)
{
	return (row->kind == CONTAINER || row->kind == LIST) && row->children;
}

/* Pipes end a table's cell. */
static void add_cell(struct text *out, const char *s)
{
	for (; *s; s++)
		text_add(out, *s == '|' ? "\\%c" : "%c", *s);
}

static void write_row(struct text *out, const struct schema *row)
{
	char value[1024];

	text_add(out, "| `%s` | ", row->word);
	add_cell(out, plural(row));
	add_cell(out, row->kind == FLAG || has_own_table(row)
	                      ? ""
	                      : schema_value_text(&row->value, value, sizeof(value)));
	text_add(out, " | %s%s%s | %s%s%s%s | %s |\n", row->def ? row->def : "",
	         row->def && row->unit ? " " : "", row->def && row->unit ? row->unit : "",
	         row->marks & MARK_HAWSER ? "**Hawser** " : "",
	         row->marks & MARK_MUST ? "*required* " : "", row->help,
	         row->marks & MARK_PARSE_ONLY ? ". Accepted, without effect in this version" : "",
	         schema_effect_text(row->effect));
}

static bool any_row(const struct schema *table, bool later)
{
	for (const struct schema *row = table; row->word; row++)
		if ((row->kind == LATER) == later && (later || !has_own_table(row)))
			return true;
	return false;
}

static void write_table(struct text *out, const struct schema *table)
{
	char value[1024];

	if (any_row(table, false))
		text_add(out, "\n| statement | value | default | meaning | when changed |\n"
		              "| --- | --- | --- | --- | --- |\n");
	for (const struct schema *row = table; row->word; row++)
		if (row->kind != LATER && !has_own_table(row))
			write_row(out, row);
	if (any_row(table, true))
		text_add(out, "\nRefused in this version:\n\n");
	for (const struct schema *row = table; row->word; row++)
		if (row->kind == LATER)
			text_add(out, "- `%s`: %s%s%s\n", row->word, row->help,
			         row->def ? "; " : "", row->def ? row->def : "");
	for (const struct schema *row = table; row->word; row++)
		if (row->kind != LATER && row->value.later)
			text_add(out, "\nNot supported in this version as `%s`: %s.\n", row->word,
			         schema_value_text(&(struct schema_value){ TYPE_WORD, 0, 0,
			                                                   row->value.later, NULL },
			                           value, sizeof(value)));
}

static void write_container(struct text *out, const char *path, const struct schema *row)
{
	char value[1024], deeper[TREE_PATH_MAX];

	text_add(out, "\n## %s\n\n%s.%s%s", path, row->help, row->def ? " Default: " : "",
	         row->def ? row->def : "");
	text_add(out, "%s%s", row->def ? "." : "", row->marks & MARK_MUST ? " Required." : "");
	if (row->kind == LIST && row->value.type != TYPE_NAME) {
		text_add(out, " NAME: ");
		text_add(out, "%s.", schema_value_text(&row->value, value, sizeof(value)));
	}
	text_add(out, "\n");
	write_table(out, row->children);
	for (const struct schema *c = row->children; c->word; c++) {
		if (!has_own_table(c))
			continue;
		(void)snprintf(deeper, sizeof(deeper), "%s %s%s", path, c->word,
		               c->kind == LIST ? " NAME" : "");
		write_container(out, deeper, c);
	}
}

void reference_write(struct text *out)
{
	char path[TREE_PATH_MAX];

	text_add(out, "%s", intro);
	text_add(out, "\n## Top level\n");
	write_table(out, schema_root.children);
	for (const struct schema *row = schema_root.children; row->word; row++) {
		if (!has_own_table(row))
			continue;
		(void)snprintf(path, sizeof(path), "%s%s", row->word,
		               row->kind == LIST ? " NAME" : "");
		write_container(out, path, row);
	}
}
