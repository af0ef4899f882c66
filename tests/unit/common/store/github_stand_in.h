// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef TESTS_UNIT_COMMON_STORE_GITHUB_STAND_IN_H
#define TESTS_UNIT_COMMON_STORE_GITHUB_STAND_IN_H

/**
 * @file
 *
 * GitHub's stand-in (tests/fixtures/github.py) for suites in C: one for each
 * test, and a store that uses it.
 */

#include <stdint.h>

#include "common/base/cleanup.h"

struct error;
struct http;
struct store;

/** A client of the stand-in. */
extern struct http *the_http;
/** At first github:octo/kernels@kernels, with a token that may write. */
extern struct store *the_store;

/** What a suite's .init and .fini are. */
void github_stand_in_start(void);
void github_stand_in_stop(void);

/** Another store instead; @p token may be NULL. */
void open_store(const char *name, const char *token);

/** Tell the stand-in something. @return What it then says; free(). */
char *control(const char *json);

/** The same with JSON put together, where a ' stands for a ". */
_printf_(1, 2) void set(const char *format, ...);

/** Put an asset. */
_must_check_ struct error *put_text(const char *name, const char *text);

/** Put an asset while somebody else, who began so much earlier, puts theirs. */
void put_beside(const char *theirs, const char *ours, const char *text,
		unsigned int later_us);

/** Another client of another patience. */
struct http *make_client(uint64_t stall_limit_ms);

#endif /* TESTS_UNIT_COMMON_STORE_GITHUB_STAND_IN_H */
