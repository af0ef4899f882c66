// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory nodes, and sections of SPARSEMEM.
 */
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/vmalloc.h>

#include "drgn_test.h"

int drgn_test_nid;
struct pglist_data *drgn_test_pgdat;

#ifdef CONFIG_SPARSEMEM
unsigned long drgn_test_section_nr;
unsigned long drgn_test_section_pfn;
struct mem_section *drgn_test_mem_section;
struct page *drgn_test_section_mem_map;
struct page *drgn_test_section_decoded_mem_map;

struct {
	unsigned long nr;
	struct mem_section *section;
} *drgn_test_present_sections;
size_t drgn_test_num_present_sections;

/*
 * Sections with just one flag each. The tests want to see that the other flags
 * are not mistaken for it.
 */
unsigned long drgn_test_SECTION_MARKED_PRESENT = SECTION_MARKED_PRESENT;
static struct mem_section fake_present_section = {
	.section_mem_map = SECTION_MARKED_PRESENT,
};
struct mem_section *drgn_test_present_section = &fake_present_section;

unsigned long drgn_test_SECTION_HAS_MEM_MAP = SECTION_HAS_MEM_MAP;
static struct mem_section fake_valid_section = {
	.section_mem_map = SECTION_HAS_MEM_MAP,
};
struct mem_section *drgn_test_valid_section = &fake_valid_section;

#ifdef SECTION_IS_ONLINE /* since v4.13 */
unsigned long drgn_test_SECTION_IS_ONLINE = SECTION_IS_ONLINE;
static struct mem_section fake_online_section = {
	.section_mem_map = SECTION_IS_ONLINE,
};
struct mem_section *drgn_test_online_section = &fake_online_section;
#endif

#ifdef SECTION_IS_EARLY /* since v5.3 */
unsigned long drgn_test_SECTION_IS_EARLY = SECTION_IS_EARLY;
static struct mem_section fake_early_section = {
	.section_mem_map = SECTION_IS_EARLY,
};
struct mem_section *drgn_test_early_section = &fake_early_section;
#endif

#ifdef SECTION_TAINT_ZONE_DEVICE /* since v5.12 */
unsigned long drgn_test_SECTION_TAINT_ZONE_DEVICE = SECTION_TAINT_ZONE_DEVICE;
#endif

/*
 * The next present section from @nr on, or NULL. The kernel's bound for this
 * walk is not exported, so go on to the theoretical maximum, but skip a root
 * that has no sections as a whole: there can be millions of numbers.
 */
static struct mem_section *next_present_section(unsigned long *nr)
{
	struct mem_section *section;

	for (; *nr < NR_MEM_SECTIONS; (*nr)++) {
		section = __nr_to_section(*nr);
		if (!section)
			*nr |= SECTION_ROOT_MASK;
		else if (present_section(section))
			return section;
	}
	return NULL;
}

static int init_present_sections(void)
{
	struct mem_section *section;
	unsigned long nr;
	size_t count = 0;

	for (nr = 0; next_present_section(&nr); nr++)
		count++;

	drgn_test_present_sections =
		vmalloc(count * sizeof(*drgn_test_present_sections));
	if (!drgn_test_present_sections)
		return -ENOMEM;

	for (nr = 0; drgn_test_num_present_sections < count; nr++) {
		section = next_present_section(&nr);
		if (!section)
			break;
		drgn_test_present_sections[drgn_test_num_present_sections].nr =
			nr;
		drgn_test_present_sections[drgn_test_num_present_sections]
			.section = section;
		drgn_test_num_present_sections++;
	}
	return 0;
}

int drgn_test_mmzone_init(void)
{
	drgn_test_nid = first_online_node;
	drgn_test_pgdat = NODE_DATA(drgn_test_nid);

	drgn_test_section_nr = pfn_to_section_nr(drgn_test_pfn);
	drgn_test_section_pfn = section_nr_to_pfn(drgn_test_section_nr);
	drgn_test_mem_section = __nr_to_section(drgn_test_section_nr);
	drgn_test_section_mem_map =
		__section_mem_map_addr(drgn_test_mem_section);
	drgn_test_section_decoded_mem_map =
		drgn_test_section_mem_map + drgn_test_section_pfn;

	return init_present_sections();
}

void drgn_test_mmzone_exit(void)
{
	vfree(drgn_test_present_sections);
}
#else
int drgn_test_mmzone_init(void)
{
	drgn_test_nid = first_online_node;
	drgn_test_pgdat = NODE_DATA(drgn_test_nid);
	return 0;
}

void drgn_test_mmzone_exit(void)
{
}
#endif
