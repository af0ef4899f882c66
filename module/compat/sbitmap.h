/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bitmaps of the block layer.
 */
#ifndef DRGN_TEST_COMPAT_SBITMAP_H
#define DRGN_TEST_COMPAT_SBITMAP_H

#include <linux/gfp.h>
#include <linux/numa.h>
#include <linux/sbitmap.h>

#include "../compat.h"

/*
 * Linux commit ea86ea2cdced ("sbitmap: ammortize cost of clearing bits") (in
 * v5.0) added the deferred clear.
 */
#if KERNEL_BEFORE(5, 0)
static inline void sbitmap_deferred_clear_bit(struct sbitmap *sb,
					      unsigned int bit)
{
	sbitmap_clear_bit(sb, bit);
}
#endif

/*
 * Linux commits efe1f3a1d583 ("scsi: sbitmap: Maintain allocation round_robin
 * in sbitmap") and c548e62bcf6a ("scsi: sbitmap: Move allocation hint into
 * sbitmap") (in v5.13) each added a parameter.
 */
static inline int drgn_test_sbitmap_alloc(struct sbitmap *sb,
					  unsigned int depth, int shift)
{
#if KERNEL_BEFORE(5, 13)
	return sbitmap_init_node(sb, depth, shift, GFP_KERNEL, NUMA_NO_NODE);
#else
	return sbitmap_init_node(sb, depth, shift, GFP_KERNEL, NUMA_NO_NODE,
				 false, false);
#endif
}

#endif /* DRGN_TEST_COMPAT_SBITMAP_H */
