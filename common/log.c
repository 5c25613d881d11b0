// SPDX-License-Identifier: BSD-2-Clause
#include "log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 512 };

#define EVENT(name, level, text) [EVENT_##name] = { #name, text, LOG_##level },
static const struct {
	const char *name, *text;
	enum log_level level;
} events[EVENT_MAX] = {
#include "events.def"
};
#undef EVENT

const char *event_name(enum event_id event)
{
	return (unsigned)event < EVENT_MAX ? events[event].name : "UNKNOWN";
}

enum log_level event_level(enum event_id event)
{
	return (unsigned)event < EVENT_MAX ? events[event].level : LOG_ERROR;
}

const char *event_text(enum event_id event)
{
	return (unsigned)event < EVENT_MAX ? events[event].text : "unknown event";
}

void log_init(struct log *log, int fd, enum log_level least)
{
	*log = (struct log){ .fd = fd, .least = least };
}

/* A bucket of LOG_BURST lines that earns one back every LOG_REFILL_MS. */
static bool allowed(struct log_limit *l, uint64_t now_ms)
{
	uint64_t earned = now_ms > l->since_ms ? (now_ms - l->since_ms) / LOG_REFILL_MS : 0;

	if (earned >= l->spent) {
		l->spent = 0;
		l->since_ms = now_ms;
	} else {
		l->spent -= (uint32_t)earned;
		l->since_ms += earned * LOG_REFILL_MS;
	}
	if (l->spent >= LOG_BURST) {
		l->suppressed++;
		return false;
	}
	l->spent++;
	return true;
}

static void clean(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '.';
}

static size_t used(int n, size_t room)
{
	return n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

static void say(int fd, enum event_id event, const char *details, uint64_t suppressed)
{
	char line[LINE_MAX_LEN + 2], more[48] = "";

	if (suppressed)
		(void)snprintf(more, sizeof(more), " (%" PRIu64 " more not shown)", suppressed);
	int n = snprintf(line, LINE_MAX_LEN, "<%d>%s: %s%s%s%s", event_level(event),
	                 event_name(event), event_text(event), *details ? ": " : "", details, more);
	size_t len = used(n, LINE_MAX_LEN);
	clean(line);
	line[len++] = '\n';
	/* One write, so that lines of several processes do not mix. Nobody to tell if it fails. */
	ssize_t written = write(fd, line, len);
	(void)written;
}

void log_event(struct log *log, uint64_t now_ms, enum event_id event, const char *fmt, ...)
{
	char details[LINE_MAX_LEN];
	va_list ap;

	if ((unsigned)event >= EVENT_MAX)
		return;
	struct log_limit *l = &log->limit[event];
	log->count[event]++;
	if (event_level(event) > log->least)
		return;
	if (event_level(event) > LOG_ERROR && !allowed(l, now_ms))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(details, sizeof(details), fmt, ap);
	va_end(ap);
	say(log->fd, event, details, l->suppressed);
	l->suppressed = 0;
}
