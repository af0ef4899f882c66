/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block devices.
 */
#ifndef DRGN_TEST_COMPAT_BLOCK_H
#define DRGN_TEST_COMPAT_BLOCK_H

#include <linux/bio.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/err.h>

#include "../compat.h"

/*
 * Linux commit 32bc15afed04 ("blk-mq: Facilitate a shared sbitmap per tagset")
 * (in v5.10).
 */
#if !KERNEL_BEFORE(5, 10)
#define DRGN_TEST_HAVE_TAG_HCTX_SHARED
#endif

/*
 * Linux commit 2a842acab109 ("block: introduce new block status code type")
 * (in v4.13).
 */
#ifndef BLK_STS_OK
typedef int blk_status_t;
#define BLK_STS_OK 0
#endif

/*
 * Linux commit 05bdb9965305 ("block: replace fmode_t with a block-specific
 * type for block open flags") (in v6.5).
 */
#ifndef BLK_OPEN_READ
typedef fmode_t blk_mode_t;
#endif

/*
 * Linux commit 46e7eac647b3 ("block: rename GENHD_FL_NO_PART_SCAN to
 * GENHD_FL_NO_PART") (in v5.17).
 */
#ifdef GENHD_FL_NO_PART_SCAN
#define GENHD_FL_NO_PART GENHD_FL_NO_PART_SCAN
#endif

/*
 * A bio without data that asks for a flush.
 *
 * Linux commit 74d46992e0d9 ("block: replace bi_bdev with a gendisk pointer
 * and partitions index") (in v4.14) has a function for the device,
 * 07888c665b40 ("block: pass a block_device and opf to bio_alloc") (in v5.18)
 * parameters for device and operation.
 */
static inline struct bio *drgn_test_flush_bio_alloc(struct block_device *bdev)
{
#if KERNEL_BEFORE(5, 18)
	struct bio *bio = bio_alloc(GFP_KERNEL, 0);

	if (bio) {
#if KERNEL_BEFORE(4, 14)
		bio->bi_bdev = bdev;
#else
		bio_set_dev(bio, bdev);
#endif
		bio_set_op_attrs(bio, REQ_OP_WRITE, REQ_PREFLUSH);
	}
	return bio;
#else
	return bio_alloc(bdev, 0, REQ_OP_WRITE | REQ_PREFLUSH, GFP_KERNEL);
#endif
}

/*
 * A disk with its queue and a volatile write cache, or an error pointer.
 *
 * Linux commits b461dfc49eb6 ("blk-mq: add the blk_mq_alloc_disk APIs") (in
 * v5.14), 27e32cd23fed ("block: pass a queue_limits argument to
 * blk_mq_alloc_disk") (in v6.9), 1122c0c1cc71 ("block: move cache control
 * settings out of queue->flags") (in v6.11).
 */
static inline struct gendisk *
drgn_test_disk_alloc(struct blk_mq_tag_set *tag_set, void *queuedata)
{
	struct gendisk *disk;
#if KERNEL_BEFORE(5, 14)
	struct request_queue *queue;

	disk = alloc_disk(1);
	if (!disk)
		return ERR_PTR(-ENOMEM);
	queue = blk_mq_init_queue(tag_set);
	if (IS_ERR(queue)) {
		put_disk(disk);
		return ERR_CAST(queue);
	}
	queue->queuedata = queuedata;
	disk->queue = queue;
#elif KERNEL_BEFORE(6, 9)
	disk = blk_mq_alloc_disk(tag_set, queuedata);
#else
	struct queue_limits limits = {
#ifdef BLK_FEAT_WRITE_CACHE
		.features = BLK_FEAT_WRITE_CACHE,
#endif
	};

	disk = blk_mq_alloc_disk(tag_set, &limits, queuedata);
#endif
#ifndef BLK_FEAT_WRITE_CACHE
	if (!IS_ERR(disk))
		blk_queue_write_cache(disk->queue, true, false);
#endif
	return disk;
}

/*
 * Linux commits fef912bf860e ("block: genhd: add 'groups' argument to
 * device_add_disk") (in v4.20), 83cbce957446 ("block: add error handling for
 * device_add_disk / add_disk") (in v5.15).
 */
static inline int drgn_test_disk_add(struct gendisk *disk,
				     const struct attribute_group **groups)
{
#if KERNEL_BEFORE(4, 20)
	int err;

	add_disk(disk);
	err = sysfs_create_groups(&disk_to_dev(disk)->kobj, groups);
	if (err)
		del_gendisk(disk);
	return err;
#elif KERNEL_BEFORE(5, 15)
	device_add_disk(NULL, disk, groups);
	return 0;
#else
	return device_add_disk(NULL, disk, groups);
#endif
}

/*
 * For a disk that was deleted, or could not be added.
 *
 * Linux commits b461dfc49eb6 ("blk-mq: add the blk_mq_alloc_disk APIs") (in
 * v5.14), 8b9ab6266204 ("block: remove blk_cleanup_disk") (in v6.0).
 */
static inline void drgn_test_disk_free(struct gendisk *disk)
{
#if KERNEL_BEFORE(5, 14)
	blk_cleanup_queue(disk->queue);
	put_disk(disk);
#elif KERNEL_BEFORE(6, 0)
	blk_cleanup_disk(disk);
#else
	put_disk(disk);
#endif
}

#endif /* DRGN_TEST_COMPAT_BLOCK_H */
