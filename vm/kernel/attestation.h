// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_KERNEL_ATTESTATION_H
#define VM_KERNEL_ATTESTATION_H

/**
 * @file
 *
 * Attestations: what GitHub signs of a file that a repository's workflow has
 * made. A digest says that a package is the one in the release; an attestation,
 * that no other put it there. GitHub's own program verifies them.
 * https://cli.github.com/manual/gh_attestation_verify
 */

#include "common/base/cleanup.h"

struct error;

/** @return What to install, if there is no gh(1) that knows attestations. */
_must_check_ struct error *attestation_find_program(void);

/**
 * Verify that a workflow of a repository has made a file. Blocks, on the network.
 *
 * @param[in] repository `OWNER/REPO`
 */
_must_check_ struct error *attestation_verify(const char *path,
					      const char *repository);

#endif /* VM_KERNEL_ATTESTATION_H */
