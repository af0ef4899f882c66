// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What this kernel and this module have, and kernel macros, which leave no
 * trace in the debug info.
 *
 * Whether a symbol exists is part of what it says: where the kernel does not
 * define a macro there must be no symbol either.
 */
#include <linux/cache.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/thread_info.h>

#include "drgn_test.h"

const int drgn_test_have_maple_tree = DRGN_TEST_HAVE_MAPLE_TREE;
const int drgn_test_have_xarray = DRGN_TEST_HAVE_XARRAY;
const int drgn_test_have_page_pool = IS_ENABLED(CONFIG_PAGE_POOL);
const int drgn_test_have_stacktrace = IS_ENABLED(CONFIG_STACKTRACE);
/* Loading may find that there is none after all. */
const int drgn_test_have_stackdepot __ro_after_init =
	IS_ENABLED(CONFIG_STACKDEPOT);
const int drgn_test_slob = IS_ENABLED(CONFIG_SLOB);
const int drgn_test_vmap_stack_enabled = IS_ENABLED(CONFIG_VMAP_STACK);
const int drgn_test_slab_stack_enabled =
	!IS_ENABLED(CONFIG_VMAP_STACK) && THREAD_SIZE < PAGE_SIZE;

/* Some of these depend on the machine: not for static initialisers. */
unsigned long drgn_test_THREAD_SIZE;
#ifdef CONFIG_SPARSEMEM
unsigned long drgn_test_NR_SECTION_ROOTS;
unsigned long drgn_test_SECTIONS_PER_ROOT;
unsigned long drgn_test_SECTION_SIZE_BITS;
unsigned long drgn_test_MAX_PHYSMEM_BITS;
#endif
#ifdef CONFIG_FLATMEM
unsigned long drgn_test_ARCH_PFN_OFFSET;
#endif

int drgn_test_MEM_ONLINE = MEM_ONLINE;
int drgn_test_MEM_GOING_OFFLINE = MEM_GOING_OFFLINE;
int drgn_test_MEM_OFFLINE = MEM_OFFLINE;
int drgn_test_MEM_GOING_ONLINE = MEM_GOING_ONLINE;
int drgn_test_MEM_CANCEL_ONLINE = MEM_CANCEL_ONLINE;
int drgn_test_MEM_CANCEL_OFFLINE = MEM_CANCEL_OFFLINE;
/*
 * In v6.5 to v6.18. Once the states are an enum (v6.19, and stable series
 * before it) nothing tells here whether these two are among them.
 */
#ifdef MEM_PREPARE_ONLINE
int drgn_test_MEM_PREPARE_ONLINE = MEM_PREPARE_ONLINE;
#endif
#ifdef MEM_FINISH_OFFLINE
int drgn_test_MEM_FINISH_OFFLINE = MEM_FINISH_OFFLINE;
#endif

void drgn_test_no_stackdepot(void)
{
	WRITE_ONCE(*(int *)&drgn_test_have_stackdepot, 0);
}

int drgn_test_constants_init(void)
{
	drgn_test_THREAD_SIZE = THREAD_SIZE;
#ifdef CONFIG_SPARSEMEM
	drgn_test_NR_SECTION_ROOTS = NR_SECTION_ROOTS;
	drgn_test_SECTIONS_PER_ROOT = SECTIONS_PER_ROOT;
	drgn_test_SECTION_SIZE_BITS = SECTION_SIZE_BITS;
	drgn_test_MAX_PHYSMEM_BITS = MAX_PHYSMEM_BITS;
#endif
#ifdef CONFIG_FLATMEM
	drgn_test_ARCH_PFN_OFFSET = ARCH_PFN_OFFSET;
#endif
	return 0;
}
