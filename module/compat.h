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
 *
 * Here is what needs no header of the kernel; what needs one is in compat/, a
 * topic a file, so that none includes what it does not use.
 */
#ifndef DRGN_TEST_COMPAT_H
#define DRGN_TEST_COMPAT_H

#include <linux/compiler.h>
#include <linux/version.h>

#define KERNEL_BEFORE(major, minor) \
	(LINUX_VERSION_CODE < KERNEL_VERSION(major, minor, 0))

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
 * Linux commit 54a611b60590 ("Maple Tree: add new data structure") (in v6.1).
 */
#if !KERNEL_BEFORE(6, 1)
#define DRGN_TEST_HAVE_MAPLE_TREE 1
#else
#define DRGN_TEST_HAVE_MAPLE_TREE 0
#endif

/*
 * Linux commit f8d5d0cc145c ("xarray: Add definition of struct xarray") (in
 * v4.20). The header itself is older.
 */
#if !KERNEL_BEFORE(4, 20)
#define DRGN_TEST_HAVE_XARRAY 1
#else
#define DRGN_TEST_HAVE_XARRAY 0
#endif

#endif /* DRGN_TEST_COMPAT_H */
