// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The folder /sys/kernel/drgn_test: coarse clocks to compare with, and the
 * crash trigger.
 */
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>

#include "compat/clock.h"
#include "drgn_test.h"

static struct kobject *folder;

static ssize_t show_s64(char *buf, s64 value)
{
	return scnprintf(buf, PAGE_SIZE, "%lld\n", value);
}

/* The coarse clocks stand still between ticks, as what the debugger reads. */
static ssize_t boottime_seconds_show(struct kobject *kobj,
				     struct kobj_attribute *attr, char *buf)
{
	return show_s64(buf, ktime_divns(ktime_get_coarse_boottime(),
					 NSEC_PER_SEC));
}

static ssize_t coarse_boottime_ns_show(struct kobject *kobj,
				       struct kobj_attribute *attr, char *buf)
{
	return show_s64(buf, ktime_to_ns(ktime_get_coarse_boottime()));
}

static ssize_t clocktai_seconds_show(struct kobject *kobj,
				     struct kobj_attribute *attr, char *buf)
{
	return show_s64(buf, ktime_divns(ktime_get_coarse_clocktai(),
					 NSEC_PER_SEC));
}

static ssize_t coarse_clocktai_ns_show(struct kobject *kobj,
				       struct kobj_attribute *attr, char *buf)
{
	return show_s64(buf, ktime_to_ns(ktime_get_coarse_clocktai()));
}

static struct kobj_attribute boottime_seconds_attribute =
	__ATTR_RO(boottime_seconds);
static struct kobj_attribute coarse_boottime_ns_attribute =
	__ATTR_RO(coarse_boottime_ns);
static struct kobj_attribute clocktai_seconds_attribute =
	__ATTR_RO(clocktai_seconds);
static struct kobj_attribute coarse_clocktai_ns_attribute =
	__ATTR_RO(coarse_clocktai_ns);

static struct attribute *attributes[] = {
	&boottime_seconds_attribute.attr,
	&coarse_boottime_ns_attribute.attr,
	&clocktai_seconds_attribute.attr,
	&coarse_clocktai_ns_attribute.attr,
	&drgn_test_crash_attribute.attr,
	NULL,
};

static const struct attribute_group attribute_group = {
	.attrs = attributes,
};

int drgn_test_sysfs_init(void)
{
	folder = kobject_create_and_add("drgn_test", kernel_kobj);
	if (!folder)
		return -ENOMEM;
	return sysfs_create_group(folder, &attribute_group);
}

void drgn_test_sysfs_exit(void)
{
	/* Takes the files along. */
	kobject_put(folder);
}
