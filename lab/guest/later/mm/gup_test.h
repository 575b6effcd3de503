/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stands in for a header of later kernels that their hmm-tests include for
 * tests which have nothing to do with exclusive access and aren't run here.
 */
#ifndef LAB_GUP_TEST_H
#define LAB_GUP_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

struct gup_test {
	__u64	addr;
	__u64	size;
	__u32	nr_pages_per_call;
	__u32	gup_flags;
};

#define GUP_FAST_BENCHMARK	_IOWR('g', 1, struct gup_test)
#define PIN_FAST_BENCHMARK	_IOWR('g', 2, struct gup_test)
#define PIN_LONGTERM_BENCHMARK	_IOWR('g', 3, struct gup_test)
#define GUP_BASIC_TEST		_IOWR('g', 4, struct gup_test)
#define PIN_BASIC_TEST		_IOWR('g', 5, struct gup_test)

#endif
