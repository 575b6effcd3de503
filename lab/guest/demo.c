// SPDX-License-Identifier: GPL-2.0
/*
 * What device-exclusive memory is for, shown on four words: two threads of the
 * test device and two threads of the CPU add one to each of them, again and
 * again. The device has no atomic operation, it loads, computes and stores.
 *
 * Exit status: 0 if sharing lost updates and exclusive access lost none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test_hmm_uapi.h"

#define WORDS		4
#define THREADS		2		/* of each kind */
#define COUNT		5000UL		/* additions by each thread, each word */
#define ROUNDS		50		/* at most, until sharing has lost one */
#define PAUSE_NS	1000		/* between the device's load and store */

static int device;
static uint64_t *word[WORDS];
static long page;
static int shared;

static void *device_thread(void *arg)
{
	struct hmm_dmirror_atomic add = {
		.addr = (uintptr_t)word[0],
		.stride = page,
		.nwords = WORDS,
		.count = COUNT,
		.pause_ns = PAUSE_NS,
		.shared = shared,
	};
	int *error = arg;

	*error = ioctl(device, HMM_DMIRROR_ATOMIC_ADD, &add) ? errno : 0;
	return NULL;
}

static void *cpu_thread(void *arg)
{
	unsigned long i, j, n;

	for (n = 0; n < COUNT; n++)
		for (i = 0; i < WORDS; i++) {
			__atomic_fetch_add(word[i], 1, __ATOMIC_SEQ_CST);
			/* The device needs some time to ask for it. */
			for (j = 0; j < PAUSE_NS; j++)
				asm volatile("");
		}
	*(int *)arg = 0;
	return NULL;
}

/* Returns the number of updates that were lost, or -1. */
static long run(void)
{
	pthread_t thread[2 * THREADS];
	int error[2 * THREADS];
	long lost = 0;
	int i, j;

	for (i = 0; i < WORDS; i++)
		*word[i] = 0;
	for (i = 0; i < 2 * THREADS; i++)
		if (pthread_create(&thread[i], NULL,
				   i & 1 ? device_thread : cpu_thread,
				   &error[i])) {
			printf("cannot start a thread\n");
			_exit(1);
		}
	for (i = 0; i < 2 * THREADS; i++) {
		pthread_join(thread[i], NULL);
		if (error[i]) {
			printf("the device failed: %s\n", strerror(error[i]));
			for (j = i + 1; j < 2 * THREADS; j++)
				pthread_join(thread[j], NULL);
			return -1;
		}
	}
	for (i = 0; i < WORDS; i++) {
		printf("    word %d: %6lu of %lu\n", i,
		       (unsigned long)*word[i], 2 * THREADS * COUNT);
		lost += 2 * THREADS * COUNT - *word[i];
	}
	return lost;
}

/* Notifier events that took the memory away from the device. */
static unsigned long taken_back(void)
{
	struct hmm_dmirror_stats stats;

	if (ioctl(device, HMM_DMIRROR_STATS, &stats))
		return 0;
	return stats.events[HMM_DMIRROR_EVENT_EXCLUSIVE];
}

int main(void)
{
	unsigned long before;
	long lost = 0;
	char *ptr;
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	page = sysconf(_SC_PAGESIZE);
	device = open("/dev/hmm_dmirror0", O_RDWR);
	ptr = mmap(NULL, WORDS * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (device < 0 || ptr == MAP_FAILED) {
		printf("no device: %s\n", strerror(errno));
		return 1;
	}
	for (i = 0; i < WORDS; i++)
		word[i] = (uint64_t *)(ptr + i * page);

	printf("%d CPU threads add to %d words atomically, %d device threads by a load and a store.\n",
	       THREADS, WORDS, THREADS);

	printf("Memory shared with the device:\n");
	shared = 1;
	for (i = 0; i < ROUNDS && !lost; i++)
		lost = run();
	if (lost < 0)
		return 1;
	if (!lost) {
		printf("  No update was lost in %d rounds: this proves nothing.\n",
		       ROUNDS);
		return 1;
	}
	printf("  %ld updates are lost.\n", lost);

	printf("Memory exclusive to the device whenever it adds:\n");
	shared = 0;
	before = taken_back();
	lost = run();
	if (lost < 0)
		return 1;
	printf("  %ld updates are lost; the CPU took pages back %lu times.\n",
	       lost, taken_back() - before);
	return !!lost;
}
