// SPDX-License-Identifier: BSD-2-Clause
/* hawser-ike-flood: first messages of IKE peers that are not there, from addresses of a /16.
 *
 *     hawser-ike-flood TARGET SOURCE RATE SECONDS
 *
 * Each is a well-formed IKE_SA_INIT (AES-256-GCM, HMAC-SHA2-256, X25519) under an SPI, a nonce and
 * a key of its own, from one address after the other of SOURCE/16. RATE a second for SECONDS, both
 * bounded; what the network does not take is not sent again. Prints {"sent": N} at the end. For
 * namespaces of a lab only: it needs a raw socket. */
#include "pace.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

enum { RATE_MAX = 200000, SECONDS_MAX = 60, AT_ONCE = 64, IKE_LEN = 28 + 40 + 40 + 36 };

/* clang-format off */
/* IKE_SA_INIT: header, SA, KE of group 31, nonce; SPI, key and nonce are filled in. */
static const uint8_t model[IKE_LEN] = {
	[16] = 33, 0x20, 34, 0x08, [27] = IKE_LEN,
	[28] = 34, 0, 0, 40, 0, 0, 0, 36, 1, 1, 0, 3, /* one proposal of three transforms */
	3, 0, 0, 12, 1, 0, 0, 20, 0x80, 14, 1, 0,
	3, 0, 0, 8, 2, 0, 0, 5,
	0, 0, 0, 8, 4, 0, 0, 31,
	[68] = 40, 0, 0, 40, 0, 31,
	[108] = 0, 0, 0, 36,
};
/* clang-format on */

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t ike[IKE_LEN];
} __attribute__((packed));

struct flood {
	int fd;
	struct sockaddr_in to;
	uint32_t source; /* host order */
	uint64_t n;
	struct packet packet[AT_ONCE];
	struct iovec iov[AT_ONCE];
	struct mmsghdr msg[AT_ONCE];
};

static void fill(struct flood *f, int i)
{
	struct packet *p = &f->packet[i];
	uint64_t random[4];

	*p = (struct packet){ .ip = { .version = 4,
		                      .ihl = 5,
		                      .ttl = 64,
		                      .protocol = IPPROTO_UDP,
		                      .daddr = f->to.sin_addr.s_addr } };
	p->ip.saddr = htonl(f->source | (uint32_t)(f->n % 65534 + 1));
	p->ip.tot_len = htons(sizeof(*p));
	p->udp.source = htons(500);
	p->udp.dest = htons(500);
	p->udp.len = htons(sizeof(*p) - sizeof(p->ip));
	memcpy(p->ike, model, IKE_LEN);
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		abort();
	memcpy(p->ike, random, 8);
	memcpy(p->ike + 76, random, sizeof(random));  /* any 32 bytes are a key of X25519 */
	memcpy(p->ike + 112, random, sizeof(random)); /* the nonce */
	f->iov[i] = (struct iovec){ p, sizeof(*p) };
	f->msg[i].msg_hdr = (struct msghdr){ .msg_name = &f->to,
		                             .msg_namelen = sizeof(f->to),
		                             .msg_iov = &f->iov[i],
		                             .msg_iovlen = 1 };
	f->n++;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * PACE_NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint64_t run(struct flood *f, uint64_t rate, uint64_t seconds)
{
	uint64_t start = now_ns(), sent = 0;

	while (f->n < rate * seconds) {
		uint64_t due = pace_due(now_ns() - start, rate);
		int n = 0;

		while (n < AT_ONCE && f->n < due && f->n < rate * seconds)
			fill(f, n++);
		if (n == 0) {
			struct timespec pause = { 0, 200000 };

			nanosleep(&pause, NULL);
			continue;
		}
		int done = sendmmsg(f->fd, f->msg, (unsigned)n, 0);
		sent += done > 0 ? (uint64_t)done : 0;
	}
	return sent;
}

int main(int argc, char **argv)
{
	struct flood *f = calloc(1, sizeof(*f));
	struct in_addr source;
	int one = 1;

	if (f == NULL || argc != 5 || inet_pton(AF_INET, argv[1], &f->to.sin_addr) != 1 ||
	    inet_pton(AF_INET, argv[2], &source) != 1) {
		fprintf(stderr, "usage: hawser-ike-flood TARGET SOURCE RATE SECONDS\n");
		return 2;
	}
	unsigned long rate = strtoul(argv[3], NULL, 10), seconds = strtoul(argv[4], NULL, 10);
	if (rate == 0 || rate > RATE_MAX || seconds == 0 || seconds > SECONDS_MAX) {
		fprintf(stderr, "at most %d a second for %d seconds\n", RATE_MAX, SECONDS_MAX);
		return 2;
	}
	f->to.sin_family = AF_INET;
	f->source = ntohl(source.s_addr) & 0xffff0000;
	f->fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (f->fd < 0 || setsockopt(f->fd, IPPROTO_IP, IP_HDRINCL, &one, sizeof(one))) {
		perror("raw socket");
		return 1;
	}
	printf("{\"sent\": %lu}\n", (unsigned long)run(f, rate, seconds));
	free(f);
	return 0;
}
