// SPDX-License-Identifier: BSD-2-Clause
/* Runs a fuzz target over the files of its corpus without libFuzzer: every file, and every shorter
 * beginning of it, each in a heap block of exactly its size, so that AddressSanitizer sees a read
 * behind the end. Exit status 99 when there is nothing to replay, which no test may mistake for
 * the crash it expects. */
#include "fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOTHING_TO_REPLAY = 99, FILE_MAX = 1 << 16, PREFIX_MAX = 2048 };

static void run(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (copy == NULL)
		exit(NOTHING_TO_REPLAY);
	memcpy(copy, bytes, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void replay(const char *path)
{
	static uint8_t bytes[FILE_MAX];
	FILE *f = fopen(path, "rb");

	if (f == NULL) {
		perror(path);
		exit(NOTHING_TO_REPLAY);
	}
	size_t size = fread(bytes, 1, sizeof(bytes), f);
	(void)fclose(f);
	fprintf(stderr, "%s: %zu bytes\n", path,
	        size); /* the last one named is the one that crashed */
	for (size_t n = 0; n < size && n < PREFIX_MAX; n++)
		run(bytes, n);
	run(bytes, size);
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct dirent **names;
	int n = argc == 2 ? scandir(argv[1], &names, visible, alphasort) : -1;

	if (n <= 0) {
		fprintf(stderr, "usage: %s DIRECTORY-WITH-A-CORPUS\n", argv[0]);
		return NOTHING_TO_REPLAY;
	}
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];

		(void)snprintf(path, sizeof(path), "%s/%s", argv[1], names[i]->d_name);
		replay(path);
		free(names[i]);
	}
	free(names);
	printf("%d files replayed\n", n);
	return 0;
}
