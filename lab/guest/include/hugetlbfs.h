/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The few calls of libhugetlbfs that hmm-tests makes, over MAP_HUGETLB: no
 * distribution need have the library in static form.
 */
#ifndef LAB_HUGETLBFS_H
#define LAB_HUGETLBFS_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

typedef unsigned long ghr_t;

#define GHR_STRICT	1UL

#define LAB_MAX_REGIONS	64

static struct {
	void *ptr;
	size_t len;
} lab_regions[LAB_MAX_REGIONS];

static inline long gethugepagesize(void)
{
	char line[128];
	long kb = 0;
	FILE *f = fopen("/proc/meminfo", "r");

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Hugepagesize: %ld kB", &kb) == 1)
			break;
	fclose(f);
	return kb ? kb * 1024 : -1;
}

/* The default size alone, as a guest with one kind of huge pages has it */
static inline int gethugepagesizes(long sizes[], int n)
{
	long size = gethugepagesize();

	if (size < 0)
		return 0;
	if (n > 0)
		sizes[0] = size;
	return 1;
}

static inline void *get_hugepage_region(size_t len, ghr_t flags)
{
	long size = gethugepagesize();
	void *ptr;
	int i;

	(void)flags;
	if (size < 0)
		return NULL;
	len = (len + size - 1) / size * size;
	for (i = 0; i < LAB_MAX_REGIONS && lab_regions[i].ptr; i++)
		;
	if (i == LAB_MAX_REGIONS)
		return NULL;
	ptr = mmap(NULL, len, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (ptr == MAP_FAILED)
		return NULL;
	lab_regions[i].ptr = ptr;
	lab_regions[i].len = len;
	return ptr;
}

static inline void free_hugepage_region(void *ptr)
{
	int i;

	for (i = 0; i < LAB_MAX_REGIONS; i++) {
		if (lab_regions[i].ptr != ptr)
			continue;
		munmap(ptr, lab_regions[i].len);
		lab_regions[i].ptr = NULL;
		return;
	}
}

#endif
