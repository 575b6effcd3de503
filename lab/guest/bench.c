// SPDX-License-Identifier: GPL-2.0
/*
 * What device-exclusive memory costs, in nanoseconds a page. Where the virtual
 * clock counts instructions, a nanosecond is an instruction.
 *
 * bench SIZE,...: sizes in MiB. Each figure is the median of REPEATS rounds.
 * Nothing is printed while anything is measured: a line costs time on the one
 * processor that there is.
 *
 *	figure NAME MIB BATCH SUBSCRIBERS PAGES MEDIAN LEAST MOST
 *	check NAME MIB BATCH SUBSCRIBERS IS WANTED
 *
 * bench locks: threads of one process and processes with one thread each convert
 * and touch ranges of their own, on all processors at once. What matters is which
 * locks they met at, and not the time:
 *
 *	locks MODE THREADS CLASS CONTENTIONS ACQUISITIONS
 *
 * The device is opened by a process that only waits. What is measured is a
 * child of it, whose memory has no MMU notifier, or one that does nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "test_hmm_uapi.h"

#define REPEATS		5
#define PAGE		4096UL
#define MIB		(1UL << 20)
#define HUGE		(2 * MIB)
#define PAGES_A_CALL	512

static char said[1 << 18];
static size_t nsaid;
static int device;
static int subscribers;

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	nsaid += vsnprintf(said + nsaid, sizeof(said) - nsaid, format, args);
	va_end(args);
	if (nsaid >= sizeof(said))
		abort();
}

static void flush(void)
{
	struct timespec rest = { .tv_nsec = 200000000 };
	size_t done = 0;
	ssize_t n;

	while (done < nsaid) {
		n = write(1, said + done, nsaid - done);
		if (n <= 0)
			exit(2);
		done += n;
	}
	nsaid = 0;
	/* Who relays it to the console shall be done before we go on. */
	nanosleep(&rest, NULL);
}

static void __attribute__((format(printf, 1, 2), noreturn))
fail(const char *format, ...)
{
	va_list args;

	flush();
	printf("failed: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(": %s\n", strerror(errno));
	fflush(stdout);
	_exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* ---- the figures ---- */

struct figure {
	const char *name;
	size_t mib;
	unsigned int batch;
	unsigned long pages;
	double value[REPEATS];
	int n;
};

static struct figure figures[256];
static int nfigures;

static void put(const char *name, size_t mib, unsigned int batch,
		unsigned long pages, uint64_t ns)
{
	struct figure *f;

	for (f = figures; f < figures + nfigures; f++)
		if (!strcmp(f->name, name) && f->mib == mib && f->batch == batch)
			break;
	if (f == figures + nfigures) {
		if (nfigures++ == sizeof(figures) / sizeof(*figures))
			abort();
		memset(f, 0, sizeof(*f));
		f->name = name;
		f->mib = mib;
		f->batch = batch;
		f->pages = pages;
	}
	if (f->n < REPEATS)
		f->value[f->n++] = (double)ns / pages;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void report(void)
{
	struct figure *f;

	for (f = figures; f < figures + nfigures; f++) {
		qsort(f->value, f->n, sizeof(*f->value), by_value);
		say("figure %s %zu %u %d %lu %.2f %.2f %.2f\n", f->name, f->mib,
		    f->batch, subscribers, f->pages, f->value[f->n / 2],
		    f->value[0], f->value[f->n - 1]);
	}
	nfigures = 0;
	flush();
}

static void check(const char *name, size_t mib, unsigned int batch,
		  unsigned long is, unsigned long wanted)
{
	if (is != wanted)
		say("check %s %zu %u %d %lu %lu\n", name, mib, batch,
		    subscribers, is, wanted);
}

/* ---- what the kernel says ---- */

static unsigned long number_of(const char *file, const char *name)
{
	char buf[65536], *at;
	size_t n = 0;
	ssize_t got;
	int fd;

	fd = open(file, O_RDONLY);
	if (fd < 0)
		fail("%s", file);
	while ((got = read(fd, buf + n, sizeof(buf) - 1 - n)) > 0)
		n += got;
	close(fd);
	buf[n] = 0;
	at = strstr(buf, name);
	return at ? strtoul(at + strlen(name), NULL, 10) : 0;
}

static unsigned long made(void)
{
	return number_of("/proc/vmstat", "device_exclusive_make ");
}

static unsigned long taken_back(void)
{
	return number_of("/proc/vmstat", "device_exclusive_fault ");
}

static unsigned long huge_kib(void)
{
	return number_of("/proc/self/smaps_rollup", "AnonHugePages:");
}

/* ---- what is done to the memory ---- */

static char *region(size_t size, int advice)
{
	char *p = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at;

	if (p == MAP_FAILED)
		fail("mmap");
	at = (char *)(((uintptr_t)p + HUGE - 1) & ~(HUGE - 1));
	/* What is left is one mapping, alone. */
	if (at > p)
		munmap(p, at - p);
	munmap(at + size, p + HUGE - at);
	if (madvise(at, size, advice) && advice == MADV_HUGEPAGE)
		fail("madvise");
	return at;
}

/* The loops of the two touches are those that the loop alone is measured of. */
static __attribute__((noinline)) void touch_in_order(char *p, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += PAGE)
		((volatile char *)p)[i] = 1;
}

static __attribute__((noinline)) void touch_in(char *p, const uint32_t *order,
					       size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		((volatile char *)p)[order[i] * PAGE] = 1;
}

static uint32_t *random_order(size_t n)
{
	uint64_t x = 88172645463325252ULL;
	uint32_t *order = malloc(n * sizeof(*order)), t;
	size_t i, j;

	if (!order)
		fail("malloc");
	for (i = 0; i < n; i++)
		order[i] = i;
	for (i = n - 1; i > 0; i--) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		j = x % (i + 1);
		t = order[i];
		order[i] = order[j];
		order[j] = t;
	}
	return order;
}

/* Returns the time, or -1 if the kernel has no such call. */
static int64_t convert(const char *name, char *p, size_t size,
		       unsigned int batch, unsigned int mode)
{
	struct hmm_dmirror_time cmd = {
		.addr = (uintptr_t)p,
		.npages = size / PAGE,
		.batch = batch,
		.mode = mode,
	};
	unsigned long before = made();

	if (ioctl(device, HMM_DMIRROR_TIME, &cmd))
		fail("HMM_DMIRROR_TIME");
	if (cmd.ret) {
		errno = -cmd.ret;
		fail("%s, %zu bytes, %u pages a call, after %llu calls", name,
		     size, batch, (unsigned long long)cmd.calls);
	}
	check(name, size / MIB, batch, made() - before, size / PAGE);
	return cmd.ns;
}

/* The time of fork() in the parent. The child ends when that is taken. */
static uint64_t time_fork(void)
{
	uint64_t start, end;
	int wait[2];
	pid_t pid;
	char c;

	if (pipe(wait))
		fail("pipe");
	start = now();
	pid = fork();
	end = now();
	if (!pid) {
		close(wait[1]);
		_exit(read(wait[0], &c, 1) != 0);
	}
	close(wait[0]);
	close(wait[1]);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		fail("fork");
	return end - start;
}

#define TIME(what) ({ uint64_t start_ = now(); what; now() - start_; })

static void protect(char *p, size_t size, int prot)
{
	if (mprotect(p, size, prot))
		fail("mprotect");
}

/* ---- base pages ---- */

static void base_pages(size_t mib)
{
	static const unsigned int batches[] = { 1, 16, 512 };
	size_t size = mib * MIB, n = size / PAGE;
	char *p = region(size, MADV_NOHUGEPAGE);
	uint32_t *order = random_order(n);
	unsigned long before;
	unsigned int b, i;
	uint64_t plain;

	touch_in_order(p, size);
	touch_in_order(p, size);

	for (i = 0; i < REPEATS; i++) {
		/* the floors */
		put("loop-in-order", mib, 0, n, TIME(touch_in_order(p, size)));
		put("loop-random", mib, 0, n, TIME(touch_in(p, order, n)));
		put("mprotect", mib, 0, n,
		    TIME(protect(p, size, PROT_READ);
			 protect(p, size, PROT_READ | PROT_WRITE)));
		put("write-fault", mib, 0, n, TIME(touch_in(p, order, n)));
		plain = time_fork();
		put("fork", mib, 0, n, plain);
		put("write-fault-in-order", mib, 0, n,
		    TIME(touch_in_order(p, size)));

		/* the device takes */
		for (b = 0; b < 3; b++) {
			put("convert", mib, batches[b], n,
			    convert("convert", p, size, batches[b], 0));
			put("again", mib, batches[b], n,
			    convert("again", p, size, batches[b], 0));
			put("in-order", mib, batches[b], n,
			    TIME(touch_in_order(p, size)));
			put("classic", mib, batches[b], n,
			    convert("classic", p, size, batches[b],
				    HMM_DMIRROR_EXCL_CLASSIC));
			touch_in_order(p, size);
		}

		/* the CPU takes back */
		convert("convert", p, size, PAGES_A_CALL, 0);
		before = taken_back();
		put("random", mib, 0, n, TIME(touch_in(p, order, n)));
		check("random", mib, 0, taken_back() - before, n);

		convert("convert", p, size, PAGES_A_CALL, 0);
		plain = time_fork();
		put("fork-exclusive", mib, 0, n, plain);
		touch_in_order(p, size);
	}
	free(order);
	munmap(p, size);
}

/* A page that CPU and device fight for, amid pages that are the device's. */
static void contended(size_t mib)
{
	size_t size = mib * MIB;
	char *p = region(size, MADV_NOHUGEPAGE);
	unsigned long rounds = 1000, lost = 0, before, i;
	char *page = p + size / 2;

	touch_in_order(p, size);
	convert("convert", p, size, PAGES_A_CALL, 0);
	before = taken_back();
	for (i = 0; i < rounds; i++) {
		*(volatile char *)page = 1;
		convert("contended", page, PAGE, 1, 0);
	}
	lost = taken_back() - before - rounds;
	/* in thousandths of a page a round */
	put("neighbours-lost", mib, 1, 1, lost * 1000 / rounds);
	munmap(p, size);
}

/* ---- walkers, whose faults are counted and not their time ---- */

struct walker {
	pthread_t thread;
	char *p;
	size_t size;
};

static void *walk(void *arg)
{
	struct walker *w = arg;
	size_t i;

	for (i = 0; i < w->size; i += PAGE) {
		w->p[i] = 1;
		/* The others get as far. */
		sched_yield();
	}
	return NULL;
}

static unsigned long faults(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage))
		fail("getrusage");
	return usage.ru_minflt;
}

/* Threads that walk parts of one range in order, page by page side by side. */
static void walkers(const char *name, size_t mib, unsigned int n)
{
	struct walker w[4];
	size_t size = mib * MIB;
	char *p = region(size, MADV_NOHUGEPAGE);
	unsigned long before;
	unsigned int i, r;

	touch_in_order(p, size);
	for (r = 0; r < REPEATS; r++) {
		convert("convert", p, size, PAGES_A_CALL, 0);
		before = faults();
		for (i = 0; i < n; i++) {
			w[i].p = p + i * (size / n);
			w[i].size = size / n;
			if (pthread_create(&w[i].thread, NULL, walk, &w[i]))
				fail("pthread_create");
		}
		for (i = 0; i < n; i++)
			pthread_join(w[i].thread, NULL);
		/* for each 512 pages */
		put(name, mib, 0, size / PAGE / 512, faults() - before);
	}
	munmap(p, size);
}

/* The same range in ever more VMAs: of it, and beside it. */
static void many_vmas(size_t mib)
{
	size_t size = mib * MIB, piece = 64 * 1024, n = size / PAGE, i;
	size_t beside = 16384;
	char *p = region(size, MADV_NOHUGEPAGE), *q;
	int r;

	touch_in_order(p, size);
	q = mmap(NULL, beside * 2 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (q == MAP_FAILED)
		fail("mmap");
	for (i = 0; i < beside; i++)
		protect(q + i * 2 * PAGE, PAGE, PROT_NONE);
	for (r = 0; r < REPEATS; r++) {
		put("convert-vmas-beside", mib, PAGES_A_CALL, n,
		    convert("convert-vmas-beside", p, size, PAGES_A_CALL, 0));
		put("in-order-vmas-beside", mib, 0, n,
		    TIME(touch_in_order(p, size)));
	}
	munmap(q, beside * 2 * PAGE);

	for (i = 0; i < size; i += 2 * piece)
		if (madvise(p + i, piece, MADV_SEQUENTIAL))
			fail("madvise");
	for (r = 0; r < REPEATS; r++) {
		put("convert-vmas-inside", mib, PAGES_A_CALL, n,
		    convert("convert-vmas-inside", p, size, PAGES_A_CALL, 0));
		put("in-order-vmas-inside", mib, 0, n,
		    TIME(touch_in_order(p, size)));
	}
	munmap(p, size);
}

/* ---- huge pages ---- */

static void huge_pages(size_t mib)
{
	size_t size = mib * MIB, n = size / PAGE;
	unsigned long huge;
	uint64_t plain;
	char *p;
	int i;

	p = region(size, MADV_HUGEPAGE);
	touch_in_order(p, size);
	huge = huge_kib();
	check("huge-there", mib, 0, huge, size / 1024);
	for (i = 0; i < REPEATS; i++) {
		put("huge-loop", mib, 0, n, TIME(touch_in_order(p, size)));
		put("huge-mprotect", mib, 0, n,
		    TIME(protect(p, size, PROT_READ);
			 protect(p, size, PROT_READ | PROT_WRITE)));
		put("huge-write-fault", mib, 0, n,
		    TIME(touch_in_order(p, size)));
		plain = time_fork();
		put("huge-fork", mib, 0, n, plain);
		touch_in_order(p, size);
	}
	munmap(p, size);

	p = region(size, MADV_HUGEPAGE);
	touch_in_order(p, size);
	for (i = 0; i < REPEATS; i++) {
		put("huge-convert", mib, PAGES_A_CALL, n,
		    convert("huge-convert", p, size, PAGES_A_CALL,
			    HMM_DMIRROR_EXCL_HUGE));
		put("huge-again", mib, PAGES_A_CALL, n,
		    convert("huge-again", p, size, PAGES_A_CALL,
			    HMM_DMIRROR_EXCL_HUGE));
		put("huge-in-order", mib, 0, n, TIME(touch_in_order(p, size)));
		check("huge-stays", mib, 0, huge_kib(), size / 1024);
	}
	munmap(p, size);

	p = region(size, MADV_HUGEPAGE);
	touch_in_order(p, size);
	/* The first time includes the split. */
	put("huge-classic-split", mib, PAGES_A_CALL, n,
	    convert("huge-classic-split", p, size, PAGES_A_CALL,
		    HMM_DMIRROR_EXCL_CLASSIC));
	for (i = 0; i < REPEATS; i++) {
		touch_in_order(p, size);
		put("huge-classic", mib, PAGES_A_CALL, n,
		    convert("huge-classic", p, size, PAGES_A_CALL,
			    HMM_DMIRROR_EXCL_CLASSIC));
	}
	munmap(p, size);
}

/* ---- who waits for whom ---- */

#define ROUNDS		50

struct worker {
	pthread_t thread;
	char *p;
	size_t size;
	int *go;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	int i;

	__atomic_sub_fetch(w->go, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(w->go, __ATOMIC_SEQ_CST) > 0)
		sched_yield();
	for (i = 0; i < ROUNDS; i++) {
		struct hmm_dmirror_time cmd = {
			.addr = (uintptr_t)w->p,
			.npages = w->size / PAGE,
			.batch = PAGES_A_CALL,
		};

		if (ioctl(device, HMM_DMIRROR_TIME, &cmd) || cmd.ret)
			fail("HMM_DMIRROR_TIME");
		touch_in_order(w->p, w->size);
	}
	return NULL;
}

static void lock_stat_reset(void)
{
	int fd = open("/proc/lock_stat", O_WRONLY);

	if (fd < 0 || write(fd, "0", 1) != 1)
		fail("/proc/lock_stat");
	close(fd);
}

/* The classes that somebody had to wait at, and those of an mm. */
static void lock_stat(const char *mode, int n)
{
	FILE *file = fopen("/proc/lock_stat", "r");
	unsigned long contentions, acquisitions;
	char line[512], *name, *colon;

	if (!file)
		fail("/proc/lock_stat");
	while (fgets(line, sizeof(line), file)) {
		colon = strrchr(line, ':');
		if (!colon || sscanf(colon + 1, "%*u %lu %*f %*f %*f %*f %*u %lu",
				     &contentions, &acquisitions) != 2)
			continue;
		*colon = 0;
		name = line + strspn(line, " \t");
		if (contentions || strstr(name, "mmap_lock") ||
		    strstr(name, "ptlock") || strstr(name, "anon_vma"))
			say("locks %s %d %s %lu %lu\n", mode, n, name,
			    contentions, acquisitions);
	}
	fclose(file);
}

static void locks(int n)
{
	size_t size = 16 * MIB;
	struct worker w[8];
	int *go, i, status;
	pid_t pid[8];
	char *p;

	go = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (go == MAP_FAILED)
		fail("mmap");

	p = region(n * size, MADV_NOHUGEPAGE);
	touch_in_order(p, n * size);
	for (i = 0; i < n; i++)
		w[i] = (struct worker){ .p = p + i * size, .size = size, .go = go };
	*go = n;
	lock_stat_reset();
	for (i = 0; i < n; i++)
		if (pthread_create(&w[i].thread, NULL, work, &w[i]))
			fail("pthread_create");
	for (i = 0; i < n; i++)
		pthread_join(w[i].thread, NULL);
	lock_stat("one-mm", n);
	munmap(p, n * size);

	*go = n + 1;
	for (i = 0; i < n; i++) {
		pid[i] = fork();
		if (pid[i] < 0)
			fail("fork");
		if (!pid[i]) {
			w[i].p = region(size, MADV_NOHUGEPAGE);
			touch_in_order(w[i].p, size);
			work(&w[i]);
			/* How a process ends is nothing of ours. */
			__atomic_sub_fetch(go, 1, __ATOMIC_SEQ_CST);
			while (__atomic_load_n(go, __ATOMIC_SEQ_CST) > -2 * n)
				usleep(10000);
			_exit(0);
		}
	}
	while (__atomic_load_n(go, __ATOMIC_SEQ_CST) > 1)
		sched_yield();
	lock_stat_reset();
	__atomic_sub_fetch(go, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(go, __ATOMIC_SEQ_CST) > -n)
		usleep(10000);
	lock_stat("different-mms", n);
	__atomic_sub_fetch(go, 2 * n, __ATOMIC_SEQ_CST);
	for (i = 0; i < n; i++)
		if (waitpid(pid[i], &status, 0) != pid[i] || status)
			fail("a process of %d", n);
	munmap(go, PAGE);
	flush();
}

/* ---- is the clock what it is taken for? ---- */

static void calibrate(void)
{
#ifdef __x86_64__
	unsigned long turns = 5000000, n;
	int i;

	for (i = 0; i < REPEATS; i++) {
		n = turns;
		/* two instructions a turn */
		put("two-instructions", 0, 0, turns,
		    TIME(asm volatile("1: dec %0\n\tjnz 1b" : "+r"(n))));
	}
#endif
}

/* One process for each size, so that all begin alike. */
static void measure(size_t mib, int subscribe)
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid) {
		subscribers = subscribe;
		if (subscribe && ioctl(device, HMM_DMIRROR_SUBSCRIBE))
			fail("HMM_DMIRROR_SUBSCRIBE");
		if (!mib) {
			calibrate();
		} else {
			base_pages(mib);
			if (mib >= 2)
				huge_pages(mib);
			if (mib == 64) {
				many_vmas(mib);
				contended(2);
				walkers("faults-one-walker", mib, 1);
				walkers("faults-two-walkers", mib, 2);
			}
		}
		report();
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status) {
		printf("failed: the process for %zu MiB, status %#x\n", mib,
		       status);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	char *sizes = argc > 1 ? argv[1] : "64", *size;

	device = open("/dev/hmm_dmirror0", O_RDWR);
	if (device < 0)
		fail("/dev/hmm_dmirror0");

	if (!strcmp(sizes, "locks")) {
		int n, cpus = sysconf(_SC_NPROCESSORS_ONLN);
		pid_t pid = fork();

		if (!pid) {
			for (n = 1; n <= cpus && n <= 8; n *= 2)
				locks(n);
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, &n, 0) != pid || n)
			fail("locks");
		printf("done\n");
		return 0;
	}

	measure(0, 0);
	for (size = strtok(sizes, ","); size; size = strtok(NULL, ","))
		measure(strtoul(size, NULL, 10), 0);
	measure(64, 1);
	printf("done\n");
	return 0;
}
