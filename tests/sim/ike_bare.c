// SPDX-License-Identifier: BSD-2-Clause
/* ike-bare GROUP SECONDS: what the public-key arithmetic of one side of a handshake costs by
 * itself, in CPU time: a key pair and a shared secret, by OpenSSL's EVP, parameters and contexts
 * set up before. Prints {"group": N, "bare_us": both, "derive_us": the secret alone}; the second is
 * what `openssl speed` measures. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct group {
	unsigned number;
	const char *type, *name; /* NULL: the type says it */
};

static const struct group groups[] = {
	{ 14, "DH", "modp_2048" }, { 19, "EC", "P-256" }, { 20, "EC", "P-384" },
	{ 31, "X25519", NULL },    { 32, "X448", NULL },
};

static void need(int ok, const char *what)
{
	if (ok > 0)
		return;
	fprintf(stderr, "ike-bare: %s\n", what);
	exit(EXIT_FAILURE);
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static EVP_PKEY_CTX *maker(const struct group *g)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, g->type, NULL);
	OSSL_PARAM params[2] = { OSSL_PARAM_END, OSSL_PARAM_END };

	if (g->name)
		params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
		                                             (char *)(uintptr_t)g->name, 0);
	need(c != NULL && EVP_PKEY_keygen_init(c) && EVP_PKEY_CTX_set_params(c, params),
	     "no such group in this OpenSSL");
	return c;
}

static EVP_PKEY *make(EVP_PKEY_CTX *c)
{
	EVP_PKEY *key = NULL;

	need(EVP_PKEY_generate(c, &key), "key pair");
	return key;
}

static EVP_PKEY_CTX *deriver(EVP_PKEY *key, EVP_PKEY *peer)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

	/* What the peer sent has been checked when it was read, not here. */
	need(c != NULL && EVP_PKEY_derive_init(c) && EVP_PKEY_derive_set_peer_ex(c, peer, 0),
	     "derive");
	return c;
}

static void derive(EVP_PKEY_CTX *c)
{
	uint8_t secret[512];
	size_t len = sizeof(secret);

	need(EVP_PKEY_derive(c, secret, &len), "derive");
}

int main(int argc, char **argv)
{
	const struct group *g = NULL;
	unsigned long number = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	uint64_t pairs = 0, secrets = 0, n = 0;

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (groups[i].number == number)
			g = &groups[i];
	need(g != NULL, "usage: ike-bare GROUP SECONDS");
	uint64_t end = strtoul(argv[2], NULL, 10) * 1000000000u;
	EVP_PKEY_CTX *m = maker(g);
	EVP_PKEY *peer = make(m);
	while (pairs + secrets < end) {
		uint64_t t0 = cpu_ns();
		EVP_PKEY *key = make(m);
		uint64_t t1 = cpu_ns();
		EVP_PKEY_CTX *d = deriver(key, peer);
		uint64_t t2 = cpu_ns();
		derive(d);
		uint64_t t3 = cpu_ns();

		pairs += t1 - t0;
		secrets += t3 - t2;
		n++;
		EVP_PKEY_CTX_free(d);
		EVP_PKEY_free(key);
	}
	need(n > 0, "SECONDS");
	printf("{\"group\": %lu, \"bare_us\": %.1f, \"derive_us\": %.1f}\n", number,
	       (double)(pairs + secrets) / (double)n / 1000, (double)secrets / (double)n / 1000);
	EVP_PKEY_free(peer);
	EVP_PKEY_CTX_free(m);
	return EXIT_SUCCESS;
}
