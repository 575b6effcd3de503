/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What nouveau's files of pure logic and their KUnit suite need of the kernel, as
 * a program of user space.
 */
#ifndef LAB_COVERAGE_KERNEL_H
#define LAB_COVERAGE_KERNEL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define BIT_ULL(n)	(1ULL << (n))
#define IS_ALIGNED(x, a) (((x) & ((typeof(x))(a) - 1)) == 0)
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define clamp(v, lo, hi) ((v) < (lo) ? (lo) : (v) > (hi) ? (hi) : (v))
#define cond_resched()	do { } while (0)
#define min(a, b)	((a) < (b) ? (a) : (b))

#define GFP_KERNEL	0

/* The kernel's sort is no stable one either. */
#define sort(base, n, size, cmp, swap) qsort(base, n, size, cmp)

struct kunit {
	int failed;
};

struct kunit_case {
	void (*run)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char *name;
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(f)	{ f, #f }
#define kunit_kzalloc(test, size, gfp) calloc(1, size)

#define KUNIT_EXPECT_TRUE(test, x) do {					\
	if (!(x)) {							\
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #x);	\
		(test)->failed++;					\
	}								\
} while (0)
#define KUNIT_EXPECT_FALSE(test, x)	KUNIT_EXPECT_TRUE(test, !(x))
#define KUNIT_EXPECT_EQ(test, a, b)	KUNIT_EXPECT_TRUE(test, (a) == (b))
#define KUNIT_EXPECT_PTR_EQ(test, a, b)	KUNIT_EXPECT_TRUE(test, (a) == (b))
#define KUNIT_EXPECT_LT(test, a, b)	KUNIT_EXPECT_TRUE(test, (a) < (b))
#define KUNIT_EXPECT_LE(test, a, b)	KUNIT_EXPECT_TRUE(test, (a) <= (b))
#define KUNIT_EXPECT_GT(test, a, b)	KUNIT_EXPECT_TRUE(test, (a) > (b))
#define KUNIT_EXPECT_GE(test, a, b)	KUNIT_EXPECT_TRUE(test, (a) >= (b))
#define KUNIT_ASSERT_TRUE(test, x)	KUNIT_EXPECT_TRUE(test, x)

#define kunit_test_suites(suite)					\
int main(void)								\
{									\
	int failed = 0;							\
									\
	for (struct kunit_case *c = (suite)->test_cases; c->run; c++) {	\
		struct kunit test = { 0 };				\
									\
		c->run(&test);						\
		printf("%s %s\n", test.failed ? "not ok" : "ok", c->name); \
		failed += !!test.failed;				\
	}								\
	return !!failed;						\
}

#endif
