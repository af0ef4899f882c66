// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Per-CPU variables and counters.
 */
#include <linux/percpu.h>
#include <linux/percpu_counter.h>

#include "drgn_test.h"
#include "prng32.h"

/* The n-th possible CPU has the n-th number of a sequence. */
DEFINE_PER_CPU(u32, drgn_test_percpu_static);
u32 __percpu *drgn_test_percpu_dynamic;

struct percpu_counter drgn_test_percpu_counter;
struct percpu_counter drgn_test_percpu_counter_negative;

/* The tests take every "cpu =" and "i =" of the output: no other members. */
struct drgn_test_percpu_struct {
	int cpu;
	int i;
};

DEFINE_PER_CPU(struct drgn_test_percpu_struct, drgn_test_percpu_structs);
DEFINE_PER_CPU(struct drgn_test_percpu_struct[3], drgn_test_percpu_arrays);

int drgn_test_percpu_init(void)
{
	u32 static_state = PRNG32_SEED('P', 'C', 'P', 'U');
	u32 dynamic_state = PRNG32_SEED('p', 'c', 'p', 'u');
	int cpu, i, err;

	drgn_test_percpu_dynamic = alloc_percpu(u32);
	if (!drgn_test_percpu_dynamic)
		return -ENOMEM;

	for_each_possible_cpu(cpu) {
		struct drgn_test_percpu_struct *s;

		per_cpu(drgn_test_percpu_static, cpu) =
			prng32_next(&static_state);
		*per_cpu_ptr(drgn_test_percpu_dynamic, cpu) =
			prng32_next(&dynamic_state);

		per_cpu(drgn_test_percpu_structs, cpu).cpu = cpu;
		s = per_cpu(drgn_test_percpu_arrays, cpu);
		for (i = 0; i < 3; i++) {
			s[i].cpu = cpu;
			s[i].i = i;
		}
	}

	/* Small enough a change to stay in this CPU's part. */
	err = percpu_counter_init(&drgn_test_percpu_counter, 10, GFP_KERNEL);
	if (err)
		return err;
	percpu_counter_add(&drgn_test_percpu_counter, 3);

	err = percpu_counter_init(&drgn_test_percpu_counter_negative, 33,
				  GFP_KERNEL);
	if (err)
		return err;
	percpu_counter_sub(&drgn_test_percpu_counter_negative, 99);
	return 0;
}

void drgn_test_percpu_exit(void)
{
	percpu_counter_destroy(&drgn_test_percpu_counter_negative);
	percpu_counter_destroy(&drgn_test_percpu_counter);
	free_percpu(drgn_test_percpu_dynamic);
}
