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

/** What publishes kernels, and no other workflow of a repository. */
#define ATTESTATION_WORKFLOW ".github/workflows/kernel.yml"

/** @return What to install, if there is no gh(1) that can tell workflows apart. */
_must_check_ struct error *attestation_find_program(void);

/**
 * Verify that this workflow of a repository has made a file. Blocks, on the
 * network.
 *
 * @param[in] repository `OWNER/REPO`
 */
_must_check_ struct error *attestation_verify(const char *path,
					      const char *repository);

#endif /* VM_KERNEL_ATTESTATION_H */
