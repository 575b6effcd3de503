#!/usr/bin/awk -f
# SPDX-License-Identifier: GPL-2.0
# Judge one boot: turn the guest's console into one line a test, hold them
# against the kept list, and find whatever else went wrong.
#
#   awk -f judge.awk -v kernel=release -v list=LIST [-v only=GLOBS] CONSOLE
#
# list: the tests expected, a line each: NAME, or "NAME skip: WHY" where that
# skip, with that reason, is allowed. only: comma-separated patterns ("*" is
# anything); expected lines that match none of them are left out.
# learn: take every result that isn't a failure as expected, to make a list.
# Exit status 0 only when every line is "ok" or an allowed skip.

BEGIN {
	read_list()
	init_splats()
	how = ""
	test = ""
	where = "boot"
}

{
	sub(/\r+$/, "")
	raw[++lines] = $0
	if (!sub(/^\[ *[0-9]+\.[0-9]+\] /, "") && /^HOST /) {
		how = substr($0, 6)
		next
	}
}

/^LAB\| / {
	if (suite != "")
		suite_line(substr($0, 6))
	next
}

/^LAB / {
	mark()
	next
}

{
	kernel_line()
}

END {
	finish()
	compare()
	exit failed > 0
}

# ---- the list ----

function read_list(	line, name, why, n, i, globs)
{
	if (only != "") {
		n = split(only, globs, ",")
		for (i = 1; i <= n; i++)
			only_re = only_re (i > 1 ? "|" : "") glob_re(globs[i])
		only_re = "^(" only_re ")$"
		# A part of a suite is one of its own, which no list has.
		for (i = 1; i <= n; i++)
			if (globs[i] ~ /^suite\.[a-z]+$/) {
				name = kernel "/" globs[i]
				expected[name] = 1
				may_skip[name] = ""
				order[++n_expected] = name
			}
	}
	while ((getline line <list) > 0) {
		sub(/#.*/, "", line)
		sub(/[ \t]+$/, "", line)
		if (line == "")
			continue
		name = line
		why = ""
		if (match(line, / skip: /)) {
			name = substr(line, 1, RSTART - 1)
			why = substr(line, RSTART + 7)
		}
		if (only_re != "" && bare(name) !~ only_re) {
			# It needn't run, but may: KUnit runs in each boot.
			known[name] = 1
			may_skip[name] = why
			continue
		}
		if (bare(name) ~ /^suite\./ && name in expected && only_re != "")
			continue
		if (name in expected) {
			bad("lab/list." name, "is in the list twice")
			continue
		}
		expected[name] = 1
		may_skip[name] = why
		order[++n_expected] = name
	}
	close(list)
	if (!n_expected && !learn)
		bad(kernel "/boot.list", "the list of expected tests is empty: " list)
}

function bare(name)
{
	sub(/^[^\/]*\//, "", name)
	return name
}

function glob_re(glob)
{
	gsub(/\./, "\\.", glob)
	gsub(/\*/, ".*", glob)
	return glob
}

# ---- results ----

function result(name, verdict, why, details)
{
	name = kernel "/" name
	if (name in verdict_of) {
		verdict = "not ok"
		why = "reported twice"
	} else {
		seen[++n_seen] = name
	}
	verdict_of[name] = verdict
	why_of[name] = why
	details_of[name] = details
}

# bad: a failure that is not the result of a test
function bad(name, why)
{
	n_bad++
	bad_name[n_bad] = name
	bad_why[n_bad] = why
}

# ---- marks of the guest's init ----

function mark(	n, word, i, pair)
{
	n = split($0, word, " ")
	if (word[2] == "boot") {
		booted = 1
	} else if (word[2] == "begin") {
		end_kunit()
		suite = where = word[3]
		suite_tests = suite_failed = 0
		suites++
		test = ""
		detail = ""
		detail_lines = 0
	} else if (word[2] == "end") {
		end_suite(word[3], word[4])
	} else if (word[2] == "counters") {
		for (i = 4; i <= n; i++) {
			split(word[i], pair, "=")
			counter[word[3], pair[1]] = pair[2]
			if (word[3] == "before")
				counters[++n_counters] = pair[1]
		}
		counted[word[3]] = 1
	} else if (word[2] == "check" || word[2] == "setup") {
		trouble[word[2]] = trouble[word[2]] "  # " substr($0, 5) "\n"
	} else if (word[2] == "done") {
		done = 1
		where = "power off"
	}
}

function suite_line(line,	name, words, n)
{
	if (line ~ /^#  RUN +[^ ]+ /) {
		no_result()
		n = split(line, words, " ")
		test = words[3]
		where = test
		detail = ""
		detail_lines = 0
	} else if (line ~ /^(not )?ok [0-9]+/) {
		name = line
		sub(/^(not )?ok [0-9]+ ?(- )?/, "", name)
		if (line ~ /^not ok/) {
			suite_failed++
			result(name == "" ? test : name, "not ok", "", detail)
		} else if (match(name, /# SKIP/)) {
			n = substr(name, RSTART + 6)
			name = substr(name, 1, RSTART - 1)
			sub(/^ +/, "", n)
			sub(/ +$/, "", name)
			result(name == "" ? test : name, "skip", n, detail)
		} else {
			result(name, "ok", "", "")
		}
		suite_tests++
		test = ""
		where = suite
		detail = ""
		detail_lines = 0
	} else {
		sub(/^# */, "", line)
		if (++detail_lines <= 100)
			detail = detail "  # " line "\n"
	}
}

function no_result()
{
	if (test == "")
		return
	result(test, "not ok", "it began and gave no result", detail)
	suite_failed++
	suite_tests++
	test = ""
}

function end_suite(name, status)
{
	no_result()
	if (name != suite)
		result("suite." name, "not ok", "it ended without a beginning", "")
	else if (!suite_tests)
		result("suite." name, "not ok", "it ran no test", detail)
	else if (status != 0 && !suite_failed)
		result("suite." name, "not ok", "exit status " status \
		       " though no test failed", detail)
	else
		result("suite." name, "ok", "", "")
	suite = ""
	where = "between suites"
	detail = ""
	detail_lines = 0
}

# ---- the kernel's own lines: KUnit and splats ----

function kernel_line(	name, i)
{
	if ($0 ~ /^ +# Subtest: /) {
		end_kunit()
		kunit = $0
		sub(/^ +# Subtest: /, "", kunit)
		where = "kunit." kunit
		kunit_detail = ""
		kunit_lines = 0
	} else if (kunit != "" && $0 ~ /^    (not )?ok [0-9]+ - /) {
		name = $0
		sub(/^    (not )?ok [0-9]+ - /, "", name)
		if ($0 ~ /^    not ok/)
			result("kunit." kunit "." name, "not ok", "", kunit_detail)
		else
			result("kunit." kunit "." name, "ok", "", "")
		kunit_detail = ""
		kunit_lines = 0
	} else if (kunit != "" && $0 ~ /^(not )?ok [0-9]+ - /) {
		kunit = ""
		where = "boot"
	} else if (kunit != "" && $0 ~ /^    /) {
		# Of what a test says without end the beginning must do.
		if (++kunit_lines <= 100)
			kunit_detail = kunit_detail "  # " $0 "\n"
	}
	if ($0 ~ /Kernel panic - not syncing/) {
		panic = $0
		sub(/^.*Kernel panic/, "Kernel panic", panic)
	}
	# What the host refuses of a processor's registers says nothing of this
	# kernel; it prints where it was, as it does of a warning.
	if ($0 ~ /^unchecked MSR access error: /) {
		refused = 1
	} else if (refused && $0 ~ /^Call Trace:/) {
		refused = 0
	} else if ($0 ~ splat_re) {
		splats++
		if (splats <= 20)
			splat_text = splat_text "  # " where ": " $0 "\n"
	}
}

function end_kunit()
{
	if (kunit == "")
		return
	result("kunit." kunit, "not ok", "the KUnit suite did not end", kunit_detail)
	kunit = ""
}

function init_splats(	n, i, part)
{
	n = 0
	part[++n] = "^WARNING: "
	part[++n] = "BUG: "
	part[++n] = "kernel BUG at "
	part[++n] = "KASAN: "
	part[++n] = "UBSAN: "
	part[++n] = "INFO: possible "
	part[++n] = "possible (circular|recursive|irq) lock"
	part[++n] = "inconsistent lock state"
	part[++n] = "suspicious RCU usage"
	part[++n] = "rcu.*(detected stall|self-detected stall|stalls on )"
	part[++n] = "rcu.*kthread (starved|timer wakeup)"
	part[++n] = "INFO: task .* blocked for more than"
	part[++n] = "soft lockup"
	part[++n] = "hard LOCKUP"
	part[++n] = "workqueue lockup"
	part[++n] = "[Bb]ad page"
	part[++n] = "(BAD|Bad) rss-counter"
	part[++n] = "[Bb]ad (pte|pmd|pud|p4d|pgd)[ :]"
	part[++n] = "Bad swap "
	part[++n] = "Bad pagetable"
	part[++n] = "page dumped because"
	part[++n] = "page allocation failure"
	part[++n] = "invoked oom-killer"
	part[++n] = "sleeping function called from invalid context"
	part[++n] = "scheduling while atomic"
	part[++n] = "list_(add|del) corruption"
	part[++n] = "refcount_t: "
	part[++n] = "general protection fault"
	part[++n] = "stack segment: "
	part[++n] = "unable to handle "
	part[++n] = "^Oops: "
	part[++n] = "invalid opcode: "
	part[++n] = "divide error: "
	part[++n] = "^Call Trace:"
	part[++n] = "Kernel panic - not syncing"
	part[++n] = "memory leak"
	part[++n] = "Object already free|Poison overwritten|Redzone overwritten"
	part[++n] = "pagealloc: (memory corruption|single bit error)"
	for (i = 1; i <= n; i++)
		splat_re = splat_re (i > 1 ? "|" : "") part[i]
}

# ---- what holds for the boot as a whole ----

function finish(	i, name, before, after, drift, text, tail)
{
	end_kunit()
	tail = ""
	for (i = lines > 25 ? lines - 25 : 1; i <= lines; i++)
		tail = tail "  | " raw[i] "\n"
	if (suite != "") {
		no_result()
		result("suite." suite, "not ok", "the guest ended in it", "")
	}
	if (done && how == "end" && panic == "")
		result("boot.complete", "ok", "", "")
	else if (panic != "")
		result("boot.complete", "not ok", "panic in " where ": " panic, tail)
	else if (how ~ /^hang/)
		result("boot.complete", "not ok", "hang in " where \
		       ": no line for " substr(how, 6) " s; the last lines:", tail)
	else if (how ~ /^limit/)
		result("boot.complete", "not ok", "in " where " after " \
		       substr(how, 7) " s, the limit; the last lines:", tail)
	else if (how == "")
		result("boot.complete", "not ok", "the console is cut off; the last lines:", tail)
	else
		result("boot.complete", "not ok", "the guest ended early, in " \
		       where "; the last lines:", tail)

	if (trouble["setup"] != "" || !suites)
		result("boot.setup", "not ok", suites ? "" : "no suite ran", trouble["setup"])
	else
		result("boot.setup", "ok", "", "")

	if (splats)
		result("boot.clean-log", "not ok", splats \
		       " lines that a sound kernel does not print:", splat_text)
	else
		result("boot.clean-log", "ok", "", "")

	text = trouble["check"]
	if (!counted["before"] || !counted["after"])
		text = text "  # not counted before and after the suites\n"
	else
		for (i = 1; i <= n_counters; i++) {
			name = counters[i]
			before = counter["before", name]
			after = counter["after", name]
			drift = after - before
			if ((counter["after", name] "") == "")
				text = text "  # " name ": no value afterwards\n"
			else if (drift > allowed(name) || -drift > allowed(name))
				text = text "  # " name ": " before " before, " \
					after " after\n"
		}
	if (text != "")
		result("boot.counters", "not ok", "they drift:", text)
	else
		result("boot.counters", "ok", "", "")
}

# allowed: by how many pages a counter may differ. init itself and its shells
# are all that lives over the whole run; they grow by some pages of heap.
function allowed(name)
{
	if (name == "anon" || name == "lru_anon")
		return 48
	if (name == "page_tables")
		return 8
	return 0
}

function compare(	i, name)
{
	for (i = 1; i <= n_bad; i++)
		print_failure(bad_name[i], bad_why[i], "")
	for (i = 1; i <= n_seen; i++) {
		name = seen[i]
		if (learn && verdict_of[name] != "not ok") {
			print verdict_of[name] " " name \
				(why_of[name] == "" ? "" : ": " why_of[name])
		} else if (!(name in expected) && !(name in known)) {
			print_failure(name, "unknown: it ran (" verdict_of[name] \
				      (why_of[name] == "" ? "" : ", " why_of[name]) \
				      "), but is not in the list of expected tests", \
				      details_of[name])
		} else if (verdict_of[name] == "skip") {
			if (may_skip[name] != "" && may_skip[name] == why_of[name])
				print "skip " name ": " why_of[name]
			else
				print_failure(name, "skipped, which the list does not allow: " \
					      why_of[name], details_of[name])
		} else if (verdict_of[name] == "ok") {
			if (may_skip[name] != "")
				print_failure(name, "ran, though the list says skip: " \
					      may_skip[name], "")
			else
				print "ok " name
		} else {
			print_failure(name, why_of[name], details_of[name])
		}
	}
	for (i = 1; i <= n_expected; i++)
		if (!(order[i] in verdict_of))
			print_failure(order[i], "missing: expected, and the guest gave no result", "")
}

# Of what a failed test said, the first lines are enough.
function shorten(text,	line, n, i, short)
{
	n = split(text, line, "\n")
	if (n <= 31)
		return text
	for (i = 1; i <= 15; i++)
		short = short line[i] "\n"
	short = short "  # (" n - 31 " lines more in the console)\n"
	for (i = n - 15; i < n; i++)
		short = short line[i] "\n"
	return short
}

function print_failure(name, why, details)
{
	failed++
	print "not ok " name
	if (why != "")
		print "  # " why
	printf "%s", shorten(details)
}
