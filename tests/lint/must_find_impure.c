// SPDX-License-Identifier: BSD-2-Clause
/* Calls what no pure folder may call. It is built but never run: pure.py must find each call. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int must_find_impure(const char *path);

int must_find_impure(const char *path)
{
	char byte = (char)rand();
	struct timespec now;
	FILE *f = fopen(path, "r");
	int fd = open(path, O_RDONLY);
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	ssize_t n = clock_gettime(CLOCK_REALTIME, &now) + getrandom(&byte, 1, 0);

	n += time(NULL) + now.tv_sec;
	n += read(fd, &byte, 1) + write(fd, &byte, 1);
	n += recv(s, &byte, 1, 0) + sendto(s, &byte, 1, 0, NULL, 0);
	return (int)n + (f != NULL);
}
