/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page pools.
 */
#ifndef DRGN_TEST_COMPAT_PAGE_POOL_H
#define DRGN_TEST_COMPAT_PAGE_POOL_H

#include "../compat.h"

#ifdef CONFIG_PAGE_POOL
/*
 * Linux commit a9ca9f9ceff3 ("page_pool: split types and declarations from
 * page_pool.h") (in v6.6) made a folder of the header.
 */
#if !KERNEL_BEFORE(6, 6)
#include <net/page_pool/helpers.h>
#else
#include <net/page_pool.h>
#endif

/*
 * Linux commit 458de8a97f10 ("net: page_pool: API cleanup and comments") (in
 * v5.7).
 */
#if KERNEL_BEFORE(5, 7)
#define page_pool_put_full_page(pool, page, allow_direct) \
	page_pool_put_page(pool, page, allow_direct)
#endif
#endif /* CONFIG_PAGE_POOL */

#endif /* DRGN_TEST_COMPAT_PAGE_POOL_H */
