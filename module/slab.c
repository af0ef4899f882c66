// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Slab caches.
 */
#include <linux/slab.h>

#include "drgn_test.h"

/* Several pages to a slab; too large for SLOB's pages, where it exists. */
struct drgn_test_big_slab_object {
	unsigned long padding[PAGE_SIZE / 3 * 4 / sizeof(unsigned long) - 1];
	unsigned long value;
};

struct kmem_cache *drgn_test_small_kmem_cache;
struct drgn_test_small_slab_object *drgn_test_small_slab_objects[5];

struct kmem_cache *drgn_test_big_kmem_cache;
struct drgn_test_big_slab_object *drgn_test_big_slab_objects[5];

/* A cache with a constructor is never merged with others. */
static void construct_small(void *p)
{
	memset(p, 0, sizeof(struct drgn_test_small_slab_object));
}

static void construct_big(void *p)
{
	memset(p, 0, sizeof(struct drgn_test_big_slab_object));
}

static int alloc_small(int i)
{
	drgn_test_small_slab_objects[i] =
		kmem_cache_alloc(drgn_test_small_kmem_cache, GFP_KERNEL);
	if (!drgn_test_small_slab_objects[i])
		return -ENOMEM;
	drgn_test_small_slab_objects[i]->value = i;
	return 0;
}

static int alloc_big(int i)
{
	drgn_test_big_slab_objects[i] =
		kmem_cache_alloc(drgn_test_big_kmem_cache, GFP_KERNEL);
	if (!drgn_test_big_slab_objects[i])
		return -ENOMEM;
	drgn_test_big_slab_objects[i]->value = i;
	return 0;
}

/*
 * Spread the five objects over more than one slab, with free slots beside them:
 * a slab's worth of others comes and goes.
 *
 * An object that is freed on another CPU than the one that works with its slab
 * is not counted as free for some time. So give the slabs back after that, and
 * allocate the last objects afterwards: one CPU has a slab to work with, then.
 */
static int init_small(void)
{
	size_t others = PAGE_SIZE / sizeof(struct drgn_test_small_slab_object);
	void **other;
	size_t n = 0;
	int i, err = 0;

	drgn_test_small_kmem_cache =
		kmem_cache_create("drgn_test_small",
				  sizeof(struct drgn_test_small_slab_object), 0,
				  0, construct_small);
	if (!drgn_test_small_kmem_cache)
		return -ENOMEM;

	for (i = 0; i < 2; i++) {
		err = alloc_small(i);
		if (err)
			return err;
	}

	other = kcalloc(others, sizeof(*other), GFP_KERNEL);
	if (!other)
		return -ENOMEM;
	for (n = 0; n < others; n++) {
		other[n] = kmem_cache_alloc(drgn_test_small_kmem_cache,
					    GFP_KERNEL);
		if (!other[n]) {
			err = -ENOMEM;
			goto out_free;
		}
	}
	err = alloc_small(i++);
out_free:
	while (n)
		kmem_cache_free(drgn_test_small_kmem_cache, other[--n]);
	kfree(other);
	if (err)
		return err;
	kmem_cache_shrink(drgn_test_small_kmem_cache);

	for (; i < ARRAY_SIZE(drgn_test_small_slab_objects); i++) {
		err = alloc_small(i);
		if (err)
			return err;
	}
	return 0;
}

static int init_big(void)
{
	int i, err;

	drgn_test_big_kmem_cache =
		kmem_cache_create("drgn_test_big",
				  sizeof(struct drgn_test_big_slab_object), 0,
				  0, construct_big);
	if (!drgn_test_big_kmem_cache)
		return -ENOMEM;

	for (i = 0; i < ARRAY_SIZE(drgn_test_big_slab_objects); i++) {
		err = alloc_big(i);
		if (err)
			return err;
	}
	return 0;
}

int drgn_test_slab_init(void)
{
	int err;

	err = init_small();
	if (err)
		return err;
	return init_big();
}

void drgn_test_slab_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(drgn_test_big_slab_objects); i++) {
		if (drgn_test_big_slab_objects[i])
			kmem_cache_free(drgn_test_big_kmem_cache,
					drgn_test_big_slab_objects[i]);
	}
	kmem_cache_destroy(drgn_test_big_kmem_cache);

	for (i = 0; i < ARRAY_SIZE(drgn_test_small_slab_objects); i++) {
		if (drgn_test_small_slab_objects[i])
			kmem_cache_free(drgn_test_small_kmem_cache,
					drgn_test_small_slab_objects[i]);
	}
	kmem_cache_destroy(drgn_test_small_kmem_cache);
}
