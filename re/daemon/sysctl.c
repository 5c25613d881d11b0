// SPDX-License-Identifier: BSD-2-Clause
#include "sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static enum err open_switch(const char *path, int flags, int *ret_fd)
{
	char full[256];
	int n = snprintf(full, sizeof(full), "/proc/sys/net/%s", path);

	if (n < 0 || (size_t)n >= sizeof(full))
		return ERR_LENGTH;
	int fd = open(full, flags | O_CLOEXEC);
	if (fd < 0)
		return err_from_errno(errno);
	*ret_fd = fd;
	return ERR_OK;
}

enum err sysctl_set(const char *path, int value)
{
	char text[16];
	int fd;
	int n = snprintf(text, sizeof(text), "%d", value);

	TRY(open_switch(path, O_WRONLY, &fd));
	ssize_t done = write(fd, text, (size_t)n);
	enum err e = done == n ? ERR_OK : err_from_errno(errno);
	close(fd);
	return e;
}

static enum err read_switch(const char *path, char text[32])
{
	int fd;

	TRY(open_switch(path, O_RDONLY, &fd));
	ssize_t n = read(fd, text, 31);
	close(fd);
	if (n <= 0)
		return ERR_IO;
	text[n] = '\0';
	return ERR_OK;
}

enum err sysctl_get(const char *path, int *ret)
{
	char text[32];

	TRY(read_switch(path, text));
	*ret = (int)strtol(text, NULL, 10);
	return ERR_OK;
}

enum err sysctl_get_two(const char *path, int *ret_first, int *ret_last)
{
	char text[32], *end;

	TRY(read_switch(path, text));
	*ret_first = (int)strtol(text, &end, 10);
	*ret_last = (int)strtol(end, NULL, 10);
	return ERR_OK;
}

enum err sysctl_conf_set(const char *family, const char *ifname, const char *key, int value)
{
	char path[192];
	int n = snprintf(path, sizeof(path), "%s/conf/%s/%s", family, ifname, key);

	return n < 0 || (size_t)n >= sizeof(path) ? ERR_LENGTH : sysctl_set(path, value);
}

static enum err ethtool_set(const char *ifname, const uint32_t *command, size_t n, uint32_t value)
{
	struct ifreq req = { 0 };
	enum err e = ERR_OK;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_from_errno(errno);
	(void)strncpy(req.ifr_name, ifname, sizeof(req.ifr_name) - 1);
	for (size_t i = 0; i < n && !e; i++) {
		struct ethtool_value v = { .cmd = command[i], .data = value };

		req.ifr_data = (void *)&v;
		/* A device that cannot do it at all does not do it either. */
		if (ioctl(fd, SIOCETHTOOL, &req) < 0 && errno != EOPNOTSUPP)
			e = err_from_errno(errno);
	}
	close(fd);
	return e;
}

enum err sysctl_tx_offloads_off(const char *ifname)
{
	static const uint32_t commands[] = { ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_STXCSUM };

	return ethtool_set(ifname, commands, ARRAY_LEN(commands), 0);
}

enum err sysctl_gro_on(const char *ifname)
{
	static const uint32_t commands[] = { ETHTOOL_SGRO };

	return ethtool_set(ifname, commands, ARRAY_LEN(commands), 1);
}
