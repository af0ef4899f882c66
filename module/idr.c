// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IDRs. The entries are plain numbers, never dereferenced.
 */
#include <linux/gfp.h>
#include <linux/idr.h>

#include "drgn_test.h"

DEFINE_IDR(drgn_test_idr_empty);
DEFINE_IDR(drgn_test_idr_one);
DEFINE_IDR(drgn_test_idr_one_at_zero);
DEFINE_IDR(drgn_test_idr_sparse);

static const struct {
	struct idr *idr;
	int id;
	unsigned long value;
} entries[] = {
	{ &drgn_test_idr_one, 66, 0xdeadb00 },
	{ &drgn_test_idr_one_at_zero, 0, 0x1234 },
	{ &drgn_test_idr_sparse, 1, 0x1234 },
	{ &drgn_test_idr_sparse, 0x80, 0x5678 },
	{ &drgn_test_idr_sparse, 0xee, 0x9abc },
};

int drgn_test_idr_init(void)
{
	int i, id;

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		id = idr_alloc(entries[i].idr, (void *)entries[i].value,
			       entries[i].id, entries[i].id + 1, GFP_KERNEL);
		if (id < 0)
			return id;
	}
	return 0;
}

void drgn_test_idr_exit(void)
{
	idr_destroy(&drgn_test_idr_sparse);
	idr_destroy(&drgn_test_idr_one_at_zero);
	idr_destroy(&drgn_test_idr_one);
	idr_destroy(&drgn_test_idr_empty);
}
