// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tests/unit/bot/report/made_verdicts.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "bot/build/build.h"
#include "bot/plan/plan.h"
#include "common/kernel/catalog.h"

static const struct catalog_arch x86_64 = { .name = "x86_64" };
static struct plan_item planned[MADE_VERDICTS_MAX];
static struct build_result results[MADE_VERDICTS_MAX];
static struct verdict items[MADE_VERDICTS_MAX];

static void make_verdict(size_t i, bool is_older, const char *log)
{
	struct verdict *verdict = &items[i];

	snprintf(planned[i].release_text, sizeof(planned[i].release_text),
		 "%s-vmtest1.0.%zutiny", is_older ? "6.1.50" : "6.12.117", i + 1);
	cr_assert(release_parse(planned[i].release_text, &planned[i].release));
	planned[i].arch = &x86_64;
	results[i] = (struct build_result){
		.log = (char *)log,
		.size_bytes = 83900000,
		.clock.duration_ms = { [PHASE_BUILD] = 512340 },
	};
	*verdict = (struct verdict){
		.item = &planned[i],
		.kind = is_older ? VERDICT_BUILT
				 : (enum verdict_kind)(i % VERDICT_KIND_COUNT),
		.result = &results[i],
		.reason = "",
	};
	if (verdict->kind == VERDICT_FAILED) {
		verdict->phase = "boot";
		verdict->reason = "a | b @user";
	} else if (verdict->kind == VERDICT_SKIPPED) {
		verdict->reason = "cancelled";
		verdict->result = NULL;
	}
}

struct verdict_list make_verdicts(size_t count, const char *log)
{
	struct verdict_list list = { .items = items, .count = count };

	cr_assert_leq(count, MADE_VERDICTS_MAX);
	for (size_t i = 0; i < count; i++) {
		make_verdict(i, i >= count / 2, log);
		list.counts[items[i].kind]++;
	}
	return list;
}

size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (const char *p = text; (p = strstr(p, part)); p++)
		count++;
	return count;
}

void expect_text(const char *text, const char *part)
{
	cr_expect(strstr(text, part), "no '%s' in:\n%s", part, text);
}
