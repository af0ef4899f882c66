// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Crash the kernel on the writer's CPU, from as deep as the architecture lets
 * the debugger's tests tell: from an NMI that interrupted an interrupt that
 * interrupted the writer; from the interrupt; or from the writer itself.
 */
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#ifdef CONFIG_X86_64
#include <asm/apic.h>
#include <asm/nmi.h>
#endif

#include "compat/irq_work.h"
#include "drgn_test.h"

#if defined(CONFIG_IRQ_WORK) &&						\
	(defined(CONFIG_X86_64) || defined(CONFIG_ARM64) ||		\
	 defined(CONFIG_ARM) || defined(CONFIG_PPC64))
#define CRASH_IN_INTERRUPT
#endif

static bool crash_wanted;

/*
 * Innermost in the dump's trace but for the kernel's own functions. A function
 * that never returns would get other code, here and in its callers: on arm it
 * does not even save the address that the debugger goes on from.
 */
static drgn_test_noipa void drgn_test_crash_func(void)
{
	if (READ_ONCE(crash_wanted))
		panic("drgn_test: told to crash\n");
}

#ifdef CRASH_IN_INTERRUPT
static struct irq_work crash_irq_work;

#ifdef CONFIG_X86_64
/* The CPU that expects an NMI of ours: all others are none of our business. */
static int crash_cpu = -1;
static bool nmi_handler_registered;

static int crash_nmi(unsigned int type, struct pt_regs *regs)
{
	if (READ_ONCE(crash_cpu) != raw_smp_processor_id())
		return NMI_DONE;
	drgn_test_crash_func();
	return NMI_HANDLED;
}

static int init_nmi(void)
{
	int err;

	err = register_nmi_handler(NMI_LOCAL, crash_nmi, 0, "drgn_test");
	nmi_handler_registered = !err;
	return err;
}

static void exit_nmi(void)
{
	if (nmi_handler_registered)
		unregister_nmi_handler(NMI_LOCAL, "drgn_test");
	nmi_handler_registered = false;
}

/* Returns only if the NMI does not come, as without a local APIC. */
static void send_nmi(void)
{
	unsigned long spins;

	WRITE_ONCE(crash_cpu, smp_processor_id());
	apic->send_IPI(smp_processor_id(), NMI_VECTOR);
	/* It arrives within microseconds; jiffies may stand still here. */
	for (spins = 0; spins < 100 * 1000 * 1000; spins++)
		cpu_relax();
}
#else
static int init_nmi(void)
{
	return 0;
}

static void exit_nmi(void)
{
}

static void send_nmi(void)
{
}
#endif /* CONFIG_X86_64 */

static void crash_irq(struct irq_work *work)
{
	send_nmi();
	drgn_test_crash_func();
}

/*
 * Stays on this CPU and in the caller's frame until the interrupt hits: not
 * before irq_work_queue() has returned, and then at once, or with the next tick
 * where irq work has no interrupt of its own.
 */
static __always_inline void crash(void)
{
	unsigned long deadline = jiffies + 10 * HZ;

	preempt_disable();
	local_irq_disable();
	irq_work_queue(&crash_irq_work);
	local_irq_enable();
	while (time_before(jiffies, deadline))
		cpu_relax();
	preempt_enable();
}

int drgn_test_crash_init(void)
{
	drgn_test_irq_work_init(&crash_irq_work, crash_irq);
	return init_nmi();
}

void drgn_test_crash_exit(void)
{
	irq_work_sync(&crash_irq_work);
	exit_nmi();
}
#else
static __always_inline void crash(void)
{
	drgn_test_crash_func();
}

int drgn_test_crash_init(void)
{
	return 0;
}

void drgn_test_crash_exit(void)
{
}
#endif /* CRASH_IN_INTERRUPT */

static drgn_test_noipa ssize_t
drgn_test_crash_store(struct kobject *kobj, struct kobj_attribute *attr,
		      const char *buf, size_t count)
{
	if (!sysfs_streq(buf, "1"))
		return -EINVAL;

	WRITE_ONCE(crash_wanted, true);
	crash();
	/* Still here: then not at any later time either. */
	WRITE_ONCE(crash_wanted, false);
	return -ETIMEDOUT;
}

struct kobj_attribute drgn_test_crash_attribute =
	__ATTR(crash, 0200, NULL, drgn_test_crash_store);
