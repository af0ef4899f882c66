/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Differences between kernels, from v4.9 on.
 *
 * Nothing else in the module asks for the kernel's version. Stable series
 * receive interfaces from later versions, so what the headers can tell is taken
 * from them; a shim that must go by the version then stays correct where the
 * interface that it stands for is already there.
 *
 * A shim for something that has a name in current kernels has that name.
 */
#ifndef DRGN_TEST_COMPAT_H
#define DRGN_TEST_COMPAT_H

#include <linux/bio.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/numa.h>
#include <linux/sbitmap.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>
#include <linux/swait.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <linux/wait.h>

#define KERNEL_BEFORE(major, minor) \
	(LINUX_VERSION_CODE < KERNEL_VERSION(major, minor, 0))

/*
 * Compilers.
 */

/*
 * Keep a function and the calls to it as they are written: not inlined, cloned,
 * split or renamed. GCC has had noipa since version 8. What clang does beyond
 * inlining, it does to static functions; calls in a tail position are another
 * matter.
 */
#if defined(__clang__)
#define drgn_test_noipa noinline __attribute__((__disable_tail_calls__))
#elif __GNUC__ >= 8
#define drgn_test_noipa __attribute__((__noipa__))
#else
#define drgn_test_noipa noinline __attribute__((__noclone__))
#endif

/*
 * Trees.
 */

/*
 * Linux commit "Maple Tree: add new data structure" (in v6.1).
 */
#if !KERNEL_BEFORE(6, 1)
#define DRGN_TEST_HAVE_MAPLE_TREE 1
#else
#define DRGN_TEST_HAVE_MAPLE_TREE 0
#endif

/*
 * Linux commit "xarray: Add definition of struct xarray" (in v4.20). The header
 * itself is older.
 */
#if !KERNEL_BEFORE(4, 20)
#define DRGN_TEST_HAVE_XARRAY 1
#else
#define DRGN_TEST_HAVE_XARRAY 0
#endif

/*
 * Bitmaps.
 */

/*
 * Linux commit "sbitmap: ammortize cost of clearing bits" (in v5.0) added the
 * deferred clear.
 */
#if KERNEL_BEFORE(5, 0)
static inline void sbitmap_deferred_clear_bit(struct sbitmap *sb,
					      unsigned int bit)
{
	sbitmap_clear_bit(sb, bit);
}
#endif

/*
 * Linux commits "scsi: sbitmap: Maintain allocation round_robin in sbitmap" and
 * "scsi: sbitmap: Move allocation hint into sbitmap" (in v5.13) each added a
 * parameter.
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

/*
 * Page pools.
 */

#ifdef CONFIG_PAGE_POOL
/*
 * Linux commit "page_pool: split types and declarations from page_pool.h" (in
 * v6.6) made a folder of the header.
 */
#if !KERNEL_BEFORE(6, 6)
#include <net/page_pool/helpers.h>
#else
#include <net/page_pool.h>
#endif

/*
 * Linux commit "net: page_pool: API cleanup and comments" (in v5.7).
 */
#if KERNEL_BEFORE(5, 7)
#define page_pool_put_full_page(pool, page, allow_direct) \
	page_pool_put_page(pool, page, allow_direct)
#endif
#endif /* CONFIG_PAGE_POOL */

/*
 * Stack traces.
 */

#ifdef CONFIG_STACKTRACE
/*
 * Linux commit "stacktrace: Provide helpers for common stack trace operations"
 * (in v5.2). The old interface ends some traces with a marker.
 */
static __always_inline unsigned int
drgn_test_stack_trace_save(unsigned long *entries, unsigned int size)
{
#if KERNEL_BEFORE(5, 2)
	struct stack_trace trace = {
		.entries = entries,
		.max_entries = size,
	};

	save_stack_trace(&trace);
	if (trace.nr_entries && entries[trace.nr_entries - 1] == ULONG_MAX)
		trace.nr_entries--;
	return trace.nr_entries;
#else
	return stack_trace_save(entries, size, 0);
#endif
}
#endif /* CONFIG_STACKTRACE */

#ifdef CONFIG_STACKDEPOT
/*
 * Linux commit "lib/stackdepot: Provide functions which operate on plain
 * storage arrays" (in v5.2).
 */
static inline depot_stack_handle_t
drgn_test_stack_depot_save(unsigned long *entries, unsigned int count)
{
#if KERNEL_BEFORE(5, 2)
	struct stack_trace trace = {
		.entries = entries,
		.nr_entries = count,
		.max_entries = count,
	};

	return depot_save_stack(&trace, GFP_KERNEL);
#else
	return stack_depot_save(entries, count, GFP_KERNEL);
#endif
}
#endif /* CONFIG_STACKDEPOT */

/*
 * Linux commit "lib/stackdepot: allow optional init and stack_table allocation
 * by kvmalloc()" (in v5.17). Before, it is ready after boot.
 */
static inline int drgn_test_stack_depot_init(void)
{
#if defined(CONFIG_STACKDEPOT) && !KERNEL_BEFORE(5, 17)
	return stack_depot_init();
#else
	return 0;
#endif
}

/*
 * Waiting.
 */

/*
 * Linux commit "sched/swait: Rename to exclusive" (in v4.19).
 */
#ifndef swait_event_interruptible_exclusive
#define swait_event_interruptible_exclusive swait_event_interruptible
#endif

/*
 * Whether someone waits; a caller that looks again and again needs no barrier.
 *
 * Linux commit "completion: Use simple wait queues" (in v5.7).
 */
static inline bool drgn_test_completion_active(struct completion *completion)
{
#if KERNEL_BEFORE(5, 7)
	return waitqueue_active(&completion->wait);
#else
	return swait_active(&completion->wait);
#endif
}

/*
 * Time.
 */

/*
 * Linux commits "timer: Prepare to change timer callback argument type" (in
 * v4.14), "timer: Pass timer_list pointer to callbacks unconditionally" (in
 * v4.15). It is all the same to the machine: one argument, the timer's address.
 */
#if KERNEL_BEFORE(4, 15)
#undef timer_setup
#define timer_setup(timer, function, flags)				\
	setup_timer(timer, (void (*)(unsigned long))(function),	\
		    (unsigned long)(timer))
#endif

/*
 * Linux commit "timers: Rename del_timer_sync() to timer_delete_sync()" (in
 * v6.2).
 */
#if KERNEL_BEFORE(6, 2)
#define timer_delete_sync(timer) del_timer_sync(timer)
#endif

/*
 * Linux commit "hrtimers: Introduce hrtimer_setup() to replace hrtimer_init()"
 * (in v6.13).
 */
#if KERNEL_BEFORE(6, 13)
#define hrtimer_setup(timer, callback, clock, mode)			\
do {									\
	hrtimer_init(timer, clock, mode);				\
	(timer)->function = (callback);					\
} while (0)
#endif

/*
 * Linux commit "timekeeping: Add more coarse clocktai/boottime interfaces" (in
 * v4.18). Both clocks are the monotonic one and an offset.
 */
#if KERNEL_BEFORE(4, 18)
static inline ktime_t ktime_get_coarse_boottime(void)
{
	return ktime_mono_to_any(timespec64_to_ktime(get_monotonic_coarse64()),
				 TK_OFFS_BOOT);
}

static inline ktime_t ktime_get_coarse_clocktai(void)
{
	return ktime_mono_to_any(timespec64_to_ktime(get_monotonic_coarse64()),
				 TK_OFFS_TAI);
}
#endif

#ifdef CONFIG_IRQ_WORK
/*
 * Linux commit "irq_work: Cleanup" (in v5.11) has an initialiser for work that
 * runs in the interrupt itself with PREEMPT_RT, too.
 */
static inline void drgn_test_irq_work_init(struct irq_work *work,
					   void (*fn)(struct irq_work *work))
{
#ifdef IRQ_WORK_INIT_HARD
	*work = IRQ_WORK_INIT_HARD(fn);
#else
	init_irq_work(work, fn);
#endif
}
#endif /* CONFIG_IRQ_WORK */

/*
 * Block devices.
 */

/*
 * Linux commit "blk-mq: Facilitate a shared sbitmap per tagset" (in v5.10).
 */
#if !KERNEL_BEFORE(5, 10)
#define DRGN_TEST_HAVE_TAG_HCTX_SHARED
#endif

/*
 * Linux commit "block: introduce new block status code type" (in v4.13).
 */
#ifndef BLK_STS_OK
typedef int blk_status_t;
#define BLK_STS_OK 0
#endif

/*
 * Linux commit "block: replace fmode_t with a block-specific type for block
 * open flags" (in v6.5).
 */
#ifndef BLK_OPEN_READ
typedef fmode_t blk_mode_t;
#endif

/*
 * Linux commit "block: rename GENHD_FL_NO_PART_SCAN to GENHD_FL_NO_PART" (in
 * v5.17).
 */
#ifdef GENHD_FL_NO_PART_SCAN
#define GENHD_FL_NO_PART GENHD_FL_NO_PART_SCAN
#endif

/*
 * A bio without data that asks for a flush.
 *
 * Linux commit "block: replace bi_bdev with a gendisk pointer and partitions
 * index" (in v4.14) has a function for the device, "block: pass a block_device
 * and opf to bio_alloc" (in v5.18) parameters for device and operation.
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
 * Linux commits "blk-mq: add the blk_mq_alloc_disk APIs" (in v5.14), "block:
 * pass a queue_limits argument to blk_mq_alloc_disk" (in v6.9), "block: move
 * cache control settings out of queue->flags" (in v6.11).
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
 * Linux commits "block: genhd: add 'groups' argument to device_add_disk" (in
 * v4.20), "block: add error handling for device_add_disk / add_disk" (in
 * v5.15).
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
 * Linux commits "blk-mq: add the blk_mq_alloc_disk APIs" (in v5.14), "block:
 * remove blk_cleanup_disk" (in v6.0).
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

#endif /* DRGN_TEST_COMPAT_H */
