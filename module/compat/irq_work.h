/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work in interrupts.
 */
#ifndef DRGN_TEST_COMPAT_IRQ_WORK_H
#define DRGN_TEST_COMPAT_IRQ_WORK_H

#include <linux/irq_work.h>

#include "../compat.h"

#ifdef CONFIG_IRQ_WORK
/*
 * Linux commit 7a9f50a05843 ("irq_work: Cleanup") (in v5.11) has an
 * initialiser for work that runs in the interrupt itself with PREEMPT_RT, too.
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

#endif /* DRGN_TEST_COMPAT_IRQ_WORK_H */
