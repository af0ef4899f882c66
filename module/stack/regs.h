/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capture the registers of the function that this is expanded in.
 *
 * It must not be a call: the tests unwind from these registers while the
 * function is blocked further down, when the frame of a call would be long
 * gone. One assembly statement does it, so that the registers belong together,
 * and leaves the stack pointer alone, so that objtool has nothing to say.
 *
 * poison_regs() fills the general registers with what none of them has, so that
 * one that is not captured shows.
 */
#ifndef DRGN_TEST_STACK_REGS_H
#define DRGN_TEST_STACK_REGS_H

#include <linux/kernel.h>
#include <linux/ptrace.h>
#include <linux/stddef.h>
#include <linux/string.h>

#define REGS_POISON 0xa5

#if defined(CONFIG_X86_64)
#include <asm/irqflags.h>
#include <asm/segment.h>

#define REG(name) [name] "i" (offsetof(struct pt_regs, name))

static inline void poison_regs(struct pt_regs *regs)
{
	memset(regs, REGS_POISON, offsetof(struct pt_regs, orig_ax));
}

static __always_inline void capture_regs(struct pt_regs *regs)
{
	unsigned int cs, ss;

	asm volatile("movq %%rax, %c[ax](%[regs])\n\t"
		     "movq %%rbx, %c[bx](%[regs])\n\t"
		     "movq %%rcx, %c[cx](%[regs])\n\t"
		     "movq %%rdx, %c[dx](%[regs])\n\t"
		     "movq %%rsi, %c[si](%[regs])\n\t"
		     "movq %%rdi, %c[di](%[regs])\n\t"
		     "movq %%rbp, %c[bp](%[regs])\n\t"
		     "movq %%rsp, %c[sp](%[regs])\n\t"
		     "movq %%r8, %c[r8](%[regs])\n\t"
		     "movq %%r9, %c[r9](%[regs])\n\t"
		     "movq %%r10, %c[r10](%[regs])\n\t"
		     "movq %%r11, %c[r11](%[regs])\n\t"
		     "movq %%r12, %c[r12](%[regs])\n\t"
		     "movq %%r13, %c[r13](%[regs])\n\t"
		     "movq %%r14, %c[r14](%[regs])\n\t"
		     "movq %%r15, %c[r15](%[regs])\n\t"
		     "leaq 1f(%%rip), %%rax\n\t"
		     "movq %%rax, %c[ip](%[regs])\n"
		     "1:"
		     :
		     : [regs] "r" (regs), REG(ax), REG(bx), REG(cx), REG(dx),
		       REG(si), REG(di), REG(bp), REG(sp), REG(r8), REG(r9),
		       REG(r10), REG(r11), REG(r12), REG(r13), REG(r14),
		       REG(r15), REG(ip)
		     : "rax", "memory");

	asm("movl %%cs, %0" : "=r" (cs));
	asm("movl %%ss, %0" : "=r" (ss));
	regs->cs = cs;
	regs->ss = ss;
	regs->flags = native_save_fl();
	regs->orig_ax = -1;
}

#undef REG

#elif defined(CONFIG_ARM64)
#include <asm/sysreg.h>

static inline void poison_regs(struct pt_regs *regs)
{
	memset(regs->regs, REGS_POISON, sizeof(regs->regs));
}

static __always_inline void capture_regs(struct pt_regs *regs)
{
	unsigned long tmp;

	asm volatile("stp x0, x1, [%[regs], #16 * 0]\n\t"
		     "stp x2, x3, [%[regs], #16 * 1]\n\t"
		     "stp x4, x5, [%[regs], #16 * 2]\n\t"
		     "stp x6, x7, [%[regs], #16 * 3]\n\t"
		     "stp x8, x9, [%[regs], #16 * 4]\n\t"
		     "stp x10, x11, [%[regs], #16 * 5]\n\t"
		     "stp x12, x13, [%[regs], #16 * 6]\n\t"
		     "stp x14, x15, [%[regs], #16 * 7]\n\t"
		     "stp x16, x17, [%[regs], #16 * 8]\n\t"
		     "stp x18, x19, [%[regs], #16 * 9]\n\t"
		     "stp x20, x21, [%[regs], #16 * 10]\n\t"
		     "stp x22, x23, [%[regs], #16 * 11]\n\t"
		     "stp x24, x25, [%[regs], #16 * 12]\n\t"
		     "stp x26, x27, [%[regs], #16 * 13]\n\t"
		     "stp x28, x29, [%[regs], #16 * 14]\n\t"
		     "mov %[tmp], sp\n\t"
		     "stp x30, %[tmp], [%[regs], #16 * 15]\n\t"
		     "adr %[tmp], 1f\n\t"
		     "str %[tmp], [%[regs], %[pc]]\n"
		     "1:"
		     : [tmp] "=&r" (tmp)
		     : [regs] "r" (regs->regs),
		       [pc] "i" (offsetof(struct pt_regs, pc))
		     : "memory");

	/* PSTATE has the level where CurrentEL has it; the 1 is for SP_ELx. */
	regs->pstate = read_sysreg(CurrentEL) | read_sysreg(nzcv) |
		       read_sysreg(daif) | 1;
}

#elif defined(CONFIG_ARM)

static inline void poison_regs(struct pt_regs *regs)
{
	memset(regs->uregs, REGS_POISON, 17 * sizeof(regs->uregs[0]));
}

static __always_inline void capture_regs(struct pt_regs *regs)
{
	unsigned long tmp;

	asm volatile("stmia %[regs], {r0-r12}\n\t"
		     "mov %[tmp], sp\n\t"
		     "str %[tmp], [%[regs], #13 * 4]\n\t"
		     "str lr, [%[regs], #14 * 4]\n\t"
		     "adr %[tmp], 1f\n\t"
		     "str %[tmp], [%[regs], #15 * 4]\n\t"
		     "mrs %[tmp], cpsr\n\t"
		     "str %[tmp], [%[regs], #16 * 4]\n\t"
		     ".balign 4\n"
		     "1:"
		     : [tmp] "=&r" (tmp)
		     : [regs] "r" (regs->uregs)
		     : "memory");
}

#elif defined(CONFIG_PPC64)

static inline void poison_regs(struct pt_regs *regs)
{
	memset(regs->gpr, REGS_POISON, sizeof(regs->gpr));
}

static __always_inline void capture_regs(struct pt_regs *regs)
{
	unsigned long tmp;

	/* The branch to the next instruction is the way to get an address. */
	asm volatile("std 0, 0 * 8(%[regs])\n\t"
		     "std 1, 1 * 8(%[regs])\n\t"
		     "std 2, 2 * 8(%[regs])\n\t"
		     "std 3, 3 * 8(%[regs])\n\t"
		     "std 4, 4 * 8(%[regs])\n\t"
		     "std 5, 5 * 8(%[regs])\n\t"
		     "std 6, 6 * 8(%[regs])\n\t"
		     "std 7, 7 * 8(%[regs])\n\t"
		     "std 8, 8 * 8(%[regs])\n\t"
		     "std 9, 9 * 8(%[regs])\n\t"
		     "std 10, 10 * 8(%[regs])\n\t"
		     "std 11, 11 * 8(%[regs])\n\t"
		     "std 12, 12 * 8(%[regs])\n\t"
		     "std 13, 13 * 8(%[regs])\n\t"
		     "std 14, 14 * 8(%[regs])\n\t"
		     "std 15, 15 * 8(%[regs])\n\t"
		     "std 16, 16 * 8(%[regs])\n\t"
		     "std 17, 17 * 8(%[regs])\n\t"
		     "std 18, 18 * 8(%[regs])\n\t"
		     "std 19, 19 * 8(%[regs])\n\t"
		     "std 20, 20 * 8(%[regs])\n\t"
		     "std 21, 21 * 8(%[regs])\n\t"
		     "std 22, 22 * 8(%[regs])\n\t"
		     "std 23, 23 * 8(%[regs])\n\t"
		     "std 24, 24 * 8(%[regs])\n\t"
		     "std 25, 25 * 8(%[regs])\n\t"
		     "std 26, 26 * 8(%[regs])\n\t"
		     "std 27, 27 * 8(%[regs])\n\t"
		     "std 28, 28 * 8(%[regs])\n\t"
		     "std 29, 29 * 8(%[regs])\n\t"
		     "std 30, 30 * 8(%[regs])\n\t"
		     "std 31, 31 * 8(%[regs])\n\t"
		     "mfcr %[tmp]\n\t"
		     "std %[tmp], %[ccr](%[regs])\n\t"
		     "mflr %[tmp]\n\t"
		     "std %[tmp], %[link](%[regs])\n\t"
		     "bcl 20, 31, 1f\n"
		     "1:\n\t"
		     "mflr %[tmp]\n\t"
		     "std %[tmp], %[nip](%[regs])\n\t"
		     "ld %[tmp], %[link](%[regs])\n\t"
		     "mtlr %[tmp]"
		     : [tmp] "=&r" (tmp)
		     : [regs] "b" (regs->gpr),
		       [ccr] "i" (offsetof(struct pt_regs, ccr)),
		       [link] "i" (offsetof(struct pt_regs, link)),
		       [nip] "i" (offsetof(struct pt_regs, nip))
		     : "lr", "memory");
}

#elif defined(CONFIG_S390)
#include <asm/processor.h>

static inline void poison_regs(struct pt_regs *regs)
{
	memset(regs->gprs, REGS_POISON, sizeof(regs->gprs));
}

static __always_inline void capture_regs(struct pt_regs *regs)
{
	unsigned long addr;

	asm volatile("stmg %%r0, %%r15, 0(%[gprs])\n\t"
		     "larl %[addr], 1f\n"
		     "1:"
		     : [addr] "=&d" (addr)
		     : [gprs] "a" (regs->gprs)
		     : "memory");
	regs->psw.addr = addr;
	regs->psw.mask = __extract_psw();
}

#else

/* The debugger has no unwinder for it, and takes no registers from here. */
static inline void poison_regs(struct pt_regs *regs)
{
}

static __always_inline void capture_regs(struct pt_regs *regs)
{
}

#endif

#endif /* DRGN_TEST_STACK_REGS_H */
