// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_GITHUB_GITHUB_TOKEN_H
#define COMMON_GITHUB_GITHUB_TOKEN_H

/**
 * @file
 *
 * The token that authorises us to GitHub: a secret. It is printed nowhere, put
 * on no command line, and goes to no host but GitHub's (http.h). Children do
 * not inherit it, and other processes do not see it (process.h).
 */

#include <stdbool.h>

#include "common/base/cleanup.h"

struct error;

/**
 * Read the token from the environment: GITHUB_TOKEN, else GH_TOKEN.
 *
 * @param[out] ret NULL if there is none; end it with github_token_destroy().
 * @return ERROR_USAGE if it holds characters that no token has.
 */
_must_check_ struct error *github_token_read(char **ret);

/** Wipe it from memory. */
void github_token_destroy(char *token);

#endif /* COMMON_GITHUB_GITHUB_TOKEN_H */
