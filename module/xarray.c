// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XArrays. Most entries are plain numbers, never dereferenced.
 */
#include "drgn_test.h"

#if DRGN_TEST_HAVE_XARRAY
#include <linux/gfp.h>
#include <linux/xarray.h>

struct drgn_test_xarray_entry {
	int value;
};

DEFINE_XARRAY(drgn_test_xarray_empty);
DEFINE_XARRAY(drgn_test_xarray_one);
DEFINE_XARRAY(drgn_test_xarray_one_at_zero);
DEFINE_XARRAY(drgn_test_xarray_sparse);
DEFINE_XARRAY(drgn_test_xarray_multi_index);
DEFINE_XARRAY(drgn_test_xarray_zero_entry);
DEFINE_XARRAY(drgn_test_xarray_zero_entry_at_zero);
DEFINE_XARRAY(drgn_test_xarray_value);
DEFINE_XARRAY(drgn_test_xarray_pointers);
struct drgn_test_xarray_entry drgn_test_xarray_entries[4];
void *drgn_test_xa_zero_entry;

static const struct {
	struct xarray *xa;
	unsigned long index;
	unsigned long value;
} entries[] = {
	{ &drgn_test_xarray_one, 666, 0xdeadb00 },
	{ &drgn_test_xarray_one_at_zero, 0, 0x1234 },
	{ &drgn_test_xarray_sparse, 1, 0x1234 },
	{ &drgn_test_xarray_sparse, 0x80808080, 0x5678 },
	{ &drgn_test_xarray_sparse, 0xffffffff, 0x9abc },
};

static int store(struct xarray *xa, unsigned long index, void *entry)
{
	return xa_err(xa_store(xa, index, entry, GFP_KERNEL));
}

/*
 * xa_store_range() is only there with CONFIG_XARRAY_MULTI. Without it this lays
 * out the same slots, which the kernel cannot look up but can free: a sibling
 * entry is never taken for a node.
 */
static int store_order(struct xarray *xa, unsigned long index,
		       unsigned int order, void *entry)
{
	XA_STATE_ORDER(xas, xa, index, order);

	do {
		xas_lock(&xas);
		xas_store(&xas, entry);
		xas_unlock(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL));
	return xas_error(&xas);
}

int drgn_test_xarray_init(void)
{
	int i, err;

	drgn_test_xa_zero_entry = XA_ZERO_ENTRY;

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		err = store(entries[i].xa, entries[i].index,
			    (void *)entries[i].value);
		if (err)
			return err;
	}

	err = store_order(&drgn_test_xarray_multi_index, 0x80808000, 9,
			  (void *)0x1234);
	if (err)
		return err;

	err = xa_reserve(&drgn_test_xarray_zero_entry, 666, GFP_KERNEL);
	if (err)
		return err;
	err = xa_reserve(&drgn_test_xarray_zero_entry_at_zero, 0, GFP_KERNEL);
	if (err)
		return err;

	err = store(&drgn_test_xarray_value, 0, xa_mk_value(1337));
	if (err)
		return err;

	for (i = 0; i < ARRAY_SIZE(drgn_test_xarray_entries); i++) {
		drgn_test_xarray_entries[i].value = i;
		err = store(&drgn_test_xarray_pointers, i,
			    &drgn_test_xarray_entries[i]);
		if (err)
			return err;
	}
	return 0;
}

void drgn_test_xarray_exit(void)
{
	xa_destroy(&drgn_test_xarray_pointers);
	xa_destroy(&drgn_test_xarray_value);
	xa_destroy(&drgn_test_xarray_zero_entry_at_zero);
	xa_destroy(&drgn_test_xarray_zero_entry);
	xa_destroy(&drgn_test_xarray_multi_index);
	xa_destroy(&drgn_test_xarray_sparse);
	xa_destroy(&drgn_test_xarray_one_at_zero);
	xa_destroy(&drgn_test_xarray_one);
	xa_destroy(&drgn_test_xarray_empty);
}
#else
int drgn_test_xarray_init(void)
{
	return 0;
}

void drgn_test_xarray_exit(void)
{
}
#endif
