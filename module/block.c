// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Block devices that can be told to keep requests, so that the tests find them
 * in flight. Otherwise they read zeroes and forget what is written.
 */
#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/numa.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/wait.h>

#include "compat/block.h"
#include "drgn_test.h"

#define DRIVER_NAME "drgntest"
#define DISK_NAME "drgntestb"

/*
 * One of the loop device's ioctls, which the block layer passes on: send an
 * empty flush.
 */
#define IOCTL_FLUSH 0x4C00

struct drgn_test_blkdev {
	struct gendisk *disk;
	struct blk_mq_tag_set tag_set;
	bool have_tag_set;

	/* Protects the rest up to the list, and the list. */
	spinlock_t lock;
	/* Keep requests. */
	bool truant;
	/* On the way out, nothing can turn it on again. */
	bool closing;
	unsigned int num_loafing;
	unsigned int num_loafing_flushes;
	/* Linked through the start of each request's driver data. */
	struct list_head loafing_requests;

	/* How many flushes have arrived, and who waits for the next: one. */
	struct mutex flush_mutex;
	atomic_t flushes;
	wait_queue_head_t flush_wait;
};

/* The second one only where hardware queues can share tags. */
struct drgn_test_blkdev drgn_test_blkdevs[2];

/* 0 if there is none. */
static int blkdev_major;

/* A request's driver data. The node must be its first member. */
struct drgn_test_blkdev_cmd {
	struct list_head node;
};

static void complete_request(struct request *rq)
{
	struct bio *bio;

	if (req_op(rq) == REQ_OP_READ) {
		__rq_for_each_bio(bio, rq)
			zero_fill_bio(bio);
	}
	blk_mq_end_request(rq, BLK_STS_OK);
}

static blk_status_t queue_rq(struct blk_mq_hw_ctx *hctx,
			     const struct blk_mq_queue_data *bd)
{
	struct drgn_test_blkdev *dev = hctx->queue->queuedata;
	struct drgn_test_blkdev_cmd *cmd = blk_mq_rq_to_pdu(bd->rq);
	/* Once on the list, the request can be completed by someone else. */
	bool flush = req_op(bd->rq) == REQ_OP_FLUSH;
	unsigned long flags;
	bool loaf;

	blk_mq_start_request(bd->rq);

	spin_lock_irqsave(&dev->lock, flags);
	loaf = dev->truant;
	if (loaf) {
		list_add_tail(&cmd->node, &dev->loafing_requests);
		dev->num_loafing++;
		dev->num_loafing_flushes += flush;
	}
	spin_unlock_irqrestore(&dev->lock, flags);

	if (!loaf)
		complete_request(bd->rq);
	if (flush) {
		atomic_inc(&dev->flushes);
		wake_up(&dev->flush_wait);
	}
	return BLK_STS_OK;
}

static struct blk_mq_ops mq_ops = {
	.queue_rq = queue_rq,
};

static int set_truant(struct drgn_test_blkdev *dev, bool truant, bool closing)
{
	struct drgn_test_blkdev_cmd *cmd, *next;
	LIST_HEAD(requests);

	/*
	 * The mode changes and the list is taken over in one go, or a request
	 * could be added in between and never be completed.
	 */
	spin_lock_irq(&dev->lock);
	if (dev->closing && truant) {
		spin_unlock_irq(&dev->lock);
		return -ENODEV;
	}
	dev->closing |= closing;
	dev->truant = truant;
	if (!truant) {
		list_splice_init(&dev->loafing_requests, &requests);
		dev->num_loafing = 0;
		dev->num_loafing_flushes = 0;
	}
	spin_unlock_irq(&dev->lock);

	/* Not under the lock: completing a request can queue others. */
	list_for_each_entry_safe(cmd, next, &requests, node)
		complete_request(blk_mq_rq_from_pdu(cmd));
	return 0;
}

static ssize_t truant_show(struct device *device, struct device_attribute *attr,
			   char *buf)
{
	struct drgn_test_blkdev *dev = dev_to_disk(device)->private_data;

	return scnprintf(buf, PAGE_SIZE, "%d\n", READ_ONCE(dev->truant));
}

static ssize_t truant_store(struct device *device,
			    struct device_attribute *attr, const char *buf,
			    size_t count)
{
	struct drgn_test_blkdev *dev = dev_to_disk(device)->private_data;
	int err;

	if (sysfs_streq(buf, "0"))
		err = set_truant(dev, false, false);
	else if (sysfs_streq(buf, "1"))
		err = set_truant(dev, true, false);
	else
		err = -EINVAL;
	return err ? err : count;
}

static DEVICE_ATTR_RW(truant);

static ssize_t num_loafing_show(struct device *device,
				struct device_attribute *attr, char *buf)
{
	struct drgn_test_blkdev *dev = dev_to_disk(device)->private_data;

	return scnprintf(buf, PAGE_SIZE, "%u\n", READ_ONCE(dev->num_loafing));
}

static DEVICE_ATTR_RO(num_loafing);

static struct attribute *attributes[] = {
	&dev_attr_truant.attr,
	&dev_attr_num_loafing.attr,
	NULL,
};

static const struct attribute_group attribute_group = {
	.attrs = attributes,
};

static const struct attribute_group *attribute_groups[] = {
	&attribute_group,
	NULL,
};

static void flush_end_io(struct bio *bio)
{
	bio_put(bio);
}

/*
 * A flush is not issued in the context of its submitter, but by a work item of
 * the block layer. Wait for it to arrive, not for it to be completed.
 *
 * The block layer keeps a flush back while another one is under way, so behind
 * one that loafs it would not arrive.
 */
static int send_flush(struct drgn_test_blkdev *dev, struct block_device *bdev)
{
	int before = atomic_read(&dev->flushes);
	struct bio *bio;
	long left;

	if (READ_ONCE(dev->num_loafing_flushes))
		return -EBUSY;

	bio = drgn_test_flush_bio_alloc(bdev);
	if (!bio)
		return -ENOMEM;
	bio->bi_end_io = flush_end_io;
	submit_bio(bio);

	left = wait_event_interruptible_timeout(
		dev->flush_wait, atomic_read(&dev->flushes) != before, 10 * HZ);
	if (left < 0)
		return -EINTR;
	return left ? 0 : -ETIMEDOUT;
}

static int flush_ioctl(struct block_device *bdev, blk_mode_t mode,
		       unsigned int cmd, unsigned long arg)
{
	struct drgn_test_blkdev *dev = bdev->bd_disk->private_data;
	int err;

	if (cmd != IOCTL_FLUSH)
		return -ENOTTY;
	err = mutex_lock_interruptible(&dev->flush_mutex);
	if (err)
		return err;
	err = send_flush(dev, bdev);
	mutex_unlock(&dev->flush_mutex);
	return err;
}

static const struct block_device_operations fops = {
	.owner = THIS_MODULE,
	.ioctl = flush_ioctl,
};

static int init_blkdev(int i, unsigned int queue_depth, unsigned int flags)
{
	struct drgn_test_blkdev *dev = &drgn_test_blkdevs[i];
	struct gendisk *disk;
	int err;

	spin_lock_init(&dev->lock);
	INIT_LIST_HEAD(&dev->loafing_requests);
	mutex_init(&dev->flush_mutex);
	init_waitqueue_head(&dev->flush_wait);

	dev->tag_set.ops = &mq_ops;
	dev->tag_set.nr_hw_queues = 2;
	dev->tag_set.queue_depth = queue_depth;
	dev->tag_set.numa_node = NUMA_NO_NODE;
	dev->tag_set.cmd_size = sizeof(struct drgn_test_blkdev_cmd);
	dev->tag_set.flags = flags;
	err = blk_mq_alloc_tag_set(&dev->tag_set);
	if (err)
		return err;
	dev->have_tag_set = true;

	disk = drgn_test_disk_alloc(&dev->tag_set, dev);
	if (IS_ERR(disk))
		return PTR_ERR(disk);
	disk->major = blkdev_major;
	disk->first_minor = i;
	disk->minors = 1;
	/*
	 * Don't look for partitions. Besides that there are none, the file that
	 * this opens is only released when insmod returns to user space, which
	 * is too late if the module could not be loaded and is gone.
	 */
	disk->flags |= GENHD_FL_NO_PART;
	disk->fops = &fops;
	disk->private_data = dev;
	snprintf(disk->disk_name, sizeof(disk->disk_name), DISK_NAME "%d", i);
	set_capacity(disk, SZ_1G >> 9);

	/* From here on there can be requests. */
	err = drgn_test_disk_add(disk, attribute_groups);
	if (err) {
		drgn_test_disk_free(disk);
		return err;
	}
	dev->disk = disk;
	return 0;
}

static void exit_blkdev(struct drgn_test_blkdev *dev)
{
	if (dev->disk) {
		/* Deleting the disk waits for its requests. */
		set_truant(dev, false, true);
		del_gendisk(dev->disk);
		drgn_test_disk_free(dev->disk);
		dev->disk = NULL;
	}
	if (dev->have_tag_set)
		blk_mq_free_tag_set(&dev->tag_set);
	dev->have_tag_set = false;
}

int drgn_test_block_init(void)
{
	int err;

	err = register_blkdev(0, DRIVER_NAME);
	if (err < 0)
		return err;
	blkdev_major = err;

	err = init_blkdev(0, 2, 0);
	if (err)
		return err;
#ifdef DRGN_TEST_HAVE_TAG_HCTX_SHARED
	err = init_blkdev(1, 4, BLK_MQ_F_TAG_HCTX_SHARED);
	if (err)
		return err;
#endif
	return 0;
}

void drgn_test_block_exit(void)
{
	int i;

	for (i = ARRAY_SIZE(drgn_test_blkdevs) - 1; i >= 0; i--)
		exit_blkdev(&drgn_test_blkdevs[i]);
	if (blkdev_major)
		unregister_blkdev(blkdev_major, DRIVER_NAME);
	blkdev_major = 0;
}
