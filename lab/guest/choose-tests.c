// SPDX-License-Identifier: GPL-2.0
/*
 * hmm-tests of the kernel tree, unchanged, with two things that its harness
 * lacks: tests can be chosen by name (shell patterns as arguments), and no
 * alarm clock ends one, since only the lab's hang limit may.
 */
#define main hmm_tests_main
#include "hmm-tests.c"
#undef main

#include <fnmatch.h>

static int wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!fnmatch(argv[i], name, 0))
			return 1;
	return argc < 2;
}

int main(int argc, char **argv)
{
	struct __fixture_metadata *f;
	struct __test_metadata *t, *next, *last;
	char name[256];
	int count = 0;

	for (f = __fixture_list; f; f = f->next) {
		t = f->tests;
		f->tests = NULL;
		last = NULL;
		for (; t; t = next) {
			next = t->next;
			snprintf(name, sizeof(name), "%s.%s", f->name, t->name);
			if (!wanted(name, argc, argv))
				continue;
			t->next = NULL;
			t->timeout = 0;
			t->prev = last ? last : t;
			if (last)
				last->next = t;
			else
				f->tests = t;
			last = t;
			f->tests->prev = t;
			count++;
		}
	}
	if (!count) {
		printf("no test of that name\n");
		return 1;
	}
	return hmm_tests_main(1, argv);
}
