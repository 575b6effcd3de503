// SPDX-License-Identifier: GPL-2.0
/*
 * hmm-tests of a later kernel, unchanged: its cases for exclusive access, on
 * the device with private memory, without an alarm clock.
 */
#define main later_main
#include "hmm-tests.c"
#undef main

/* Keep only what is wanted of a list that ends with NULL. */
#define CHOOSE(head, wanted) \
	do { \
		__typeof__(head) item = (head), next, last = NULL; \
		(head) = NULL; \
		for (; item; item = next) { \
			next = item->next; \
			if (!(wanted)) \
				continue; \
			item->next = NULL; \
			item->prev = last ? last : item; \
			if (last) \
				last->next = item; \
			else \
				(head) = item; \
			last = item; \
			(head)->prev = item; \
		} \
	} while (0)

int main(int argc, char **argv)
{
	struct __fixture_metadata *f;
	struct __test_metadata *t;

	for (f = __fixture_list; f; f = f->next) {
		CHOOSE(f->tests, !strncmp(item->name, "exclusive", 9));
		CHOOSE(f->variant, !strstr(item->name, "coherent"));
		for (t = f->tests; t; t = t->next)
			t->timeout = 0;
	}
	return later_main(1, argv);
}
