// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_GITHUB_GITHUB_SEAL_H
#define COMMON_GITHUB_GITHUB_SEAL_H

/**
 * @file
 *
 * A promise in the body of a GitHub release: which assets it has.
 *
 * A list of a thousand assets is eleven answers, and conditional requests do
 * not make them cheap: an ETag is that of the body, which counts downloads, so
 * the answers differ wherever kernels are used. A release that describes its
 * assets therefore ends in a comment, which browsers do not show, with a digest
 * of their list. Whoever has a list of this digest need not ask for it; it may
 * come from an earlier run, or be the one that GitHub shows within the release,
 * which is whole or is not: the digest tells.
 *
 * Who changes the assets takes the seal off before, and seals again afterwards
 * what it then lists. So a run that dies in between leaves a release without a
 * seal, and whoever comes next asks for the list. Two changes at once may seal
 * a list that the other has just changed; as long as GitHub shows all assets
 * within the release, the digest tells that, too. If it shows only some, and
 * the other run dies before it seals, then its change is overlooked until the
 * next one: an asset that is not seen is built again, and found when it is put;
 * one that is seen and has gone was superseded by another.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/archive/digest.h"
#include "common/base/cleanup.h"

struct asset_list;
struct error;

enum {
	/** Most characters that a seal adds to a body. */
	GITHUB_SEAL_SIZE = 256,
};

struct github_seal {
	/** Of the list of all assets. */
	char assets[DIGEST_TEXT_SIZE];
	/** Of those that GitHub shows within the release, all or some. */
	char shown[DIGEST_TEXT_SIZE];
};

/** What identifies a list of assets, in whatever order they are. */
_must_check_ struct error *
github_seal_digest(const struct asset_list *assets,
		   char digest_ret[static DIGEST_TEXT_SIZE]);

/** @return Whether the body has a seal. */
bool github_seal_read(const char *body, struct github_seal *ret);

/** The text with the seal below it; free(). */
_must_check_ struct error *github_seal_put_on(const char *text,
					      const struct github_seal *seal,
					      char **ret);

/** The text without any seal; free(). */
_must_check_ struct error *github_seal_take_off(const char *body, char **ret);

#endif /* COMMON_GITHUB_GITHUB_SEAL_H */
