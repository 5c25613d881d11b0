// SPDX-License-Identifier: BSD-2-Clause
#include "effects.h"
#include "secret.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_bytes(struct view v)
{
	secret_wipe((void *)(uintptr_t)v.p, v.len);
	free((void *)(uintptr_t)v.p);
}

void effects_done(struct effects *fx)
{
	for (size_t i = 0; i < fx->n; i++) {
		struct effect *f = &fx->at[i];

		free_bytes(f->body);
		free_bytes(f->send.bytes);
		free((void *)(uintptr_t)f->text);
		if (f->job != NULL)
			f->job->discard(f->job);
	}
	free(fx->at);
	*fx = (struct effects){ 0 };
}

static bool grow(struct effects *fx)
{
	size_t cap = fx->cap ? fx->cap * 2 : 16;

	if (fx->n < fx->cap)
		return true;
	if (cap > EFFECTS_MAX)
		return false;
	struct effect *at = realloc(fx->at, cap * sizeof(*at));
	if (at == NULL)
		return false;
	fx->at = at;
	fx->cap = cap;
	return true;
}

/* The next effect, zeroed; NULL (and overrun) where there is no room. */
static struct effect *append(struct effects *fx, enum fx_kind kind)
{
	if (!grow(fx)) {
		fx->overrun = true;
		return NULL;
	}
	struct effect *f = &fx->at[fx->n++];
	memset(f, 0, sizeof(*f));
	f->kind = kind;
	return f;
}

static struct view copy_bytes(struct effects *fx, struct view v)
{
	if (v.len == 0)
		return (struct view){ NULL, 0 };
	uint8_t *p = malloc(v.len);
	if (p == NULL) {
		fx->overrun = true;
		return (struct view){ NULL, 0 };
	}
	memcpy(p, v.p, v.len);
	return (struct view){ p, v.len };
}

void fx_put(struct effects *fx, const struct record_key *key, struct view body)
{
	struct effect *f = append(fx, FX_PUT);

	if (f == NULL)
		return;
	f->key = *key;
	f->body = copy_bytes(fx, body);
}

void fx_del(struct effects *fx, const struct record_key *key)
{
	struct effect *f = append(fx, FX_DEL);

	if (f != NULL)
		f->key = *key;
}

void fx_send(struct effects *fx, const struct fx_send *send)
{
	struct effect *f = append(fx, FX_SEND);

	if (f == NULL)
		return;
	f->send = *send;
	f->send.bytes = copy_bytes(fx, send->bytes);
}

void fx_event(struct effects *fx, enum event_id event, const char *fmt, ...)
{
	char text[EFFECT_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	char *copy = strdup(text);
	struct effect *f = copy ? append(fx, FX_EVENT) : NULL;
	if (f == NULL) {
		fx->overrun = true;
		free(copy);
		return;
	}
	f->event = event;
	f->text = copy;
}

void fx_job(struct effects *fx, struct job *job)
{
	struct effect *f = append(fx, FX_JOB);

	if (f == NULL)
		job->discard(job);
	else
		f->job = job;
}
