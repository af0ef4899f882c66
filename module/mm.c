// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages, and memory from vmalloc().
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/vmalloc.h>

#include "drgn_test.h"
#include "prng32.h"

/* Filled with the sequence of the seed PAGE. */
struct page *drgn_test_page;
void *drgn_test_va;
phys_addr_t drgn_test_pa;
unsigned long drgn_test_pfn;

#define COMPOUND_ORDER 1

struct page *drgn_test_compound_page;

void *drgn_test_vmalloc_va;
phys_addr_t drgn_test_vmalloc_pa;
unsigned long drgn_test_vmalloc_pfn;
struct page *drgn_test_vmalloc_page;

int drgn_test_mm_init(void)
{
	u32 state = PRNG32_SEED('P', 'A', 'G', 'E');
	u32 *word, *end;

	drgn_test_page = alloc_page(GFP_KERNEL);
	if (!drgn_test_page)
		return -ENOMEM;
	drgn_test_va = page_address(drgn_test_page);
	drgn_test_pa = virt_to_phys(drgn_test_va);
	drgn_test_pfn = page_to_pfn(drgn_test_page);
	end = drgn_test_va + PAGE_SIZE;
	for (word = drgn_test_va; word < end; word++)
		*word = prng32_next(&state);

	drgn_test_compound_page = alloc_pages(GFP_KERNEL | __GFP_COMP,
					      COMPOUND_ORDER);
	if (!drgn_test_compound_page)
		return -ENOMEM;

	drgn_test_vmalloc_va = vmalloc(PAGE_SIZE);
	if (!drgn_test_vmalloc_va)
		return -ENOMEM;
	drgn_test_vmalloc_page = vmalloc_to_page(drgn_test_vmalloc_va);
	drgn_test_vmalloc_pfn = vmalloc_to_pfn(drgn_test_vmalloc_va);
	drgn_test_vmalloc_pa = PFN_PHYS(drgn_test_vmalloc_pfn);
	return 0;
}

void drgn_test_mm_exit(void)
{
	vfree(drgn_test_vmalloc_va);
	if (drgn_test_compound_page)
		__free_pages(drgn_test_compound_page, COMPOUND_ORDER);
	if (drgn_test_page)
		__free_page(drgn_test_page);
}
