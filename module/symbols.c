// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Symbols of data, to be found by name and by address. The function among them
 * is in stack/drgn_test.c, and a per-CPU variable in percpu.c.
 */
#include "drgn_test.h"

char drgn_test_data[] = "data";
const char drgn_test_rodata[] = "rodata";
