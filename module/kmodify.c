// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Objects for the debugger to write to and functions for it to call.
 *
 * Every function has a counter of the calls that were made correctly. What a
 * function counts as correct is its arguments and nothing else, and it judges
 * them before it changes what they point to.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "drgn_test.h"
#include "kmodify.h"

static struct drgn_kmodify_test_struct pointed_to;
struct drgn_kmodify_test_struct *drgn_kmodify_test_ptr = &pointed_to;

char drgn_kmodify_test_memory[16];

unsigned long drgn_kmodify_test_bitmap[2];
module_param_array_named(kmodify_bitmap, drgn_kmodify_test_bitmap, ulong, NULL,
			 0644);

int drgn_kmodify_test_int;
int *drgn_kmodify_test_int_ptr;

/* What lies beside a field that is written must stay as it is. */
struct {
	unsigned int expect0_1 : 8;
	unsigned int byte_aligned : 8;
	unsigned int expect1_1 : 1;
	unsigned int bit : 1;
	unsigned int expect1_2 : 1;
	unsigned int expect0_2 : 1;
	unsigned int two_bits : 2;
	unsigned int unaligned : 8;
} drgn_kmodify_test_bit_field = {
	.expect1_1 = 1,
	.expect1_2 = 1,
};

static char str[] = "Hello";
static signed char signed_str[] = ", ";
static unsigned char unsigned_str[] = "world";

char *drgn_kmodify_test_char_str = str;
signed char *drgn_kmodify_test_signed_char_str = signed_str;
unsigned char *drgn_kmodify_test_unsigned_char_str = unsigned_str;
const char *drgn_kmodify_test_const_char_str = "!";

#define CHAR_VALUE 48
#define SIGNED_CHAR_VALUE (-66)
#define SHORT_VALUE (-666)
#define INT_VALUE (-12345)
#define LONG_VALUE (-2468013579L)
#define LONG_LONG_VALUE (-9080706050403020100LL)
#define UNSIGNED_CHAR_VALUE 200
#define UNSIGNED_SHORT_VALUE 7777
#define UNSIGNED_INT_VALUE 54321U
#define UNSIGNED_LONG_VALUE 4000000000UL
#define UNSIGNED_LONG_LONG_VALUE 12345678909876543210ULL

int drgn_kmodify_test_void_return_called;

drgn_test_noipa void drgn_kmodify_test_void_return(void)
{
	drgn_kmodify_test_void_return_called++;
}

int drgn_kmodify_test_signed_char_return_called;

drgn_test_noipa signed char drgn_kmodify_test_signed_char_return(void)
{
	drgn_kmodify_test_signed_char_return_called++;
	return SIGNED_CHAR_VALUE;
}

int drgn_kmodify_test_unsigned_char_return_called;

drgn_test_noipa unsigned char drgn_kmodify_test_unsigned_char_return(void)
{
	drgn_kmodify_test_unsigned_char_return_called++;
	return UNSIGNED_CHAR_VALUE;
}

int drgn_kmodify_test_short_return_called;

drgn_test_noipa short drgn_kmodify_test_short_return(void)
{
	drgn_kmodify_test_short_return_called++;
	return SHORT_VALUE;
}

int drgn_kmodify_test_unsigned_short_return_called;

drgn_test_noipa unsigned short drgn_kmodify_test_unsigned_short_return(void)
{
	drgn_kmodify_test_unsigned_short_return_called++;
	return UNSIGNED_SHORT_VALUE;
}

int drgn_kmodify_test_int_return_called;

drgn_test_noipa int drgn_kmodify_test_int_return(void)
{
	drgn_kmodify_test_int_return_called++;
	return INT_VALUE;
}

int drgn_kmodify_test_unsigned_int_return_called;

drgn_test_noipa unsigned int drgn_kmodify_test_unsigned_int_return(void)
{
	drgn_kmodify_test_unsigned_int_return_called++;
	return UNSIGNED_INT_VALUE;
}

int drgn_kmodify_test_long_return_called;

drgn_test_noipa long drgn_kmodify_test_long_return(void)
{
	drgn_kmodify_test_long_return_called++;
	return LONG_VALUE;
}

int drgn_kmodify_test_unsigned_long_return_called;

drgn_test_noipa unsigned long drgn_kmodify_test_unsigned_long_return(void)
{
	drgn_kmodify_test_unsigned_long_return_called++;
	return UNSIGNED_LONG_VALUE;
}

int drgn_kmodify_test_long_long_return_called;

drgn_test_noipa long long drgn_kmodify_test_long_long_return(void)
{
	drgn_kmodify_test_long_long_return_called++;
	return LONG_LONG_VALUE;
}

int drgn_kmodify_test_unsigned_long_long_return_called;

drgn_test_noipa unsigned long long
drgn_kmodify_test_unsigned_long_long_return(void)
{
	drgn_kmodify_test_unsigned_long_long_return_called++;
	return UNSIGNED_LONG_LONG_VALUE;
}

int drgn_kmodify_test_enum_return_called;

drgn_test_noipa enum drgn_kmodify_enum drgn_kmodify_test_enum_return(void)
{
	drgn_kmodify_test_enum_return_called++;
	return DRGN_KMODIFY_TWO;
}

int drgn_kmodify_test_pointer_return_called;

drgn_test_noipa struct drgn_kmodify_test_struct *
drgn_kmodify_test_pointer_return(void)
{
	drgn_kmodify_test_pointer_return_called++;
	return drgn_kmodify_test_ptr;
}

static bool signed_args_ok(signed char c, short s, int i, long l, long long ll)
{
	return c == SIGNED_CHAR_VALUE && s == SHORT_VALUE && i == INT_VALUE &&
	       l == LONG_VALUE && ll == LONG_LONG_VALUE;
}

static bool unsigned_args_ok(unsigned char c, unsigned short s, unsigned int i,
			     unsigned long l, unsigned long long ll)
{
	return c == UNSIGNED_CHAR_VALUE && s == UNSIGNED_SHORT_VALUE &&
	       i == UNSIGNED_INT_VALUE && l == UNSIGNED_LONG_VALUE &&
	       ll == UNSIGNED_LONG_LONG_VALUE;
}

int drgn_kmodify_test_signed_args_called;

drgn_test_noipa void drgn_kmodify_test_signed_args(signed char c, short s,
						   int i, long l, long long ll)
{
	if (signed_args_ok(c, s, i, l, ll))
		drgn_kmodify_test_signed_args_called++;
}

int drgn_kmodify_test_unsigned_args_called;

drgn_test_noipa void drgn_kmodify_test_unsigned_args(unsigned char c,
						     unsigned short s,
						     unsigned int i,
						     unsigned long l,
						     unsigned long long ll)
{
	if (unsigned_args_ok(c, s, i, l, ll))
		drgn_kmodify_test_unsigned_args_called++;
}

int drgn_kmodify_test_many_args_called;

drgn_test_noipa void
drgn_kmodify_test_many_args(char c, signed char sc, short s, int i, long l,
			    long long ll, unsigned char uc, unsigned short us,
			    unsigned int ui, unsigned long ul,
			    unsigned long long ull)
{
	if (c == CHAR_VALUE && signed_args_ok(sc, s, i, l, ll) &&
	    unsigned_args_ok(uc, us, ui, ul, ull))
		drgn_kmodify_test_many_args_called++;
}

int drgn_kmodify_test_enum_args_called;

drgn_test_noipa void drgn_kmodify_test_enum_args(enum drgn_kmodify_enum e,
						 enum drgn_kmodify_enum *ep)
{
	if (e == DRGN_KMODIFY_ONE && *ep == DRGN_KMODIFY_TWO)
		drgn_kmodify_test_enum_args_called++;
	*ep = DRGN_KMODIFY_THREE;
}

int drgn_kmodify_test_pointer_args_called;

drgn_test_noipa void
drgn_kmodify_test_pointer_args(struct drgn_kmodify_test_struct *p)
{
	if (p == drgn_kmodify_test_ptr)
		drgn_kmodify_test_pointer_args_called++;
}

int drgn_kmodify_test_string_args_called;

drgn_test_noipa void drgn_kmodify_test_string_args(char *s, signed char *ss,
						   unsigned char *us,
						   const char *cs)
{
	if (!strcmp(s, drgn_kmodify_test_char_str) &&
	    !strcmp((char *)ss, (char *)drgn_kmodify_test_signed_char_str) &&
	    !strcmp((char *)us, (char *)drgn_kmodify_test_unsigned_char_str) &&
	    !strcmp(cs, drgn_kmodify_test_const_char_str))
		drgn_kmodify_test_string_args_called++;
}

int drgn_kmodify_test_integer_out_params_called;

drgn_test_noipa void
drgn_kmodify_test_integer_out_params(signed char *c, short *s, int *i, long *l,
				     long long *ll)
{
	if (signed_args_ok(*c, *s, *i, *l, *ll))
		drgn_kmodify_test_integer_out_params_called++;
	*c = 33;
	*s = 333;
	*i = 23456;
	*l = 2222222222L;
	*ll = 9090909090909090909LL;
}

int drgn_kmodify_test_array_out_params_called;

drgn_test_noipa void drgn_kmodify_test_array_out_params(long *a)
{
	if (a[0] == 1 && a[1] == 2 && a[2] == 3)
		drgn_kmodify_test_array_out_params_called++;
	a[0] = 2;
	a[1] = 3;
	a[2] = 5;
}

int drgn_kmodify_test_many_out_params_called;

drgn_test_noipa void
drgn_kmodify_test_many_out_params(char *c, signed char *sc, short *s, int *i,
				  long *l, long long *ll, unsigned char *uc,
				  unsigned short *us, unsigned int *ui,
				  unsigned long *ul, unsigned long long *ull)
{
	if (*c == CHAR_VALUE && signed_args_ok(*sc, *s, *i, *l, *ll) &&
	    unsigned_args_ok(*uc, *us, *ui, *ul, *ull))
		drgn_kmodify_test_many_out_params_called++;
	*c /= 3;
	*sc /= 3;
	*s /= 3;
	*i /= 3;
	*l /= 3;
	*ll /= 3;
	*uc /= 3;
	*us /= 3;
	*ui /= 3;
	*ul /= 3;
	*ull /= 3;
}
