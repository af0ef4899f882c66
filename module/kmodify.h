/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions for the debugger to call. Nothing in the module does, but functions
 * that are not static have a prototype.
 */
#ifndef DRGN_TEST_KMODIFY_H
#define DRGN_TEST_KMODIFY_H

enum drgn_kmodify_enum {
	DRGN_KMODIFY_ONE = 1,
	DRGN_KMODIFY_TWO,
	DRGN_KMODIFY_THREE,
};

struct drgn_kmodify_test_struct {
	int value;
};

void drgn_kmodify_test_void_return(void);
signed char drgn_kmodify_test_signed_char_return(void);
unsigned char drgn_kmodify_test_unsigned_char_return(void);
short drgn_kmodify_test_short_return(void);
unsigned short drgn_kmodify_test_unsigned_short_return(void);
int drgn_kmodify_test_int_return(void);
unsigned int drgn_kmodify_test_unsigned_int_return(void);
long drgn_kmodify_test_long_return(void);
unsigned long drgn_kmodify_test_unsigned_long_return(void);
long long drgn_kmodify_test_long_long_return(void);
unsigned long long drgn_kmodify_test_unsigned_long_long_return(void);
enum drgn_kmodify_enum drgn_kmodify_test_enum_return(void);
struct drgn_kmodify_test_struct *drgn_kmodify_test_pointer_return(void);
void drgn_kmodify_test_signed_args(signed char c, short s, int i, long l,
				   long long ll);
void drgn_kmodify_test_unsigned_args(unsigned char c, unsigned short s,
				     unsigned int i, unsigned long l,
				     unsigned long long ll);
void drgn_kmodify_test_many_args(char c, signed char sc, short s, int i, long l,
				 long long ll, unsigned char uc,
				 unsigned short us, unsigned int ui,
				 unsigned long ul, unsigned long long ull);
void drgn_kmodify_test_enum_args(enum drgn_kmodify_enum e,
				 enum drgn_kmodify_enum *ep);
void drgn_kmodify_test_pointer_args(struct drgn_kmodify_test_struct *p);
void drgn_kmodify_test_string_args(char *s, signed char *ss, unsigned char *us,
				   const char *cs);
void drgn_kmodify_test_integer_out_params(signed char *c, short *s, int *i,
					  long *l, long long *ll);
void drgn_kmodify_test_array_out_params(long *a);
void drgn_kmodify_test_many_out_params(char *c, signed char *sc, short *s,
				       int *i, long *l, long long *ll,
				       unsigned char *uc, unsigned short *us,
				       unsigned int *ui, unsigned long *ul,
				       unsigned long long *ull);

#endif /* DRGN_TEST_KMODIFY_H */
