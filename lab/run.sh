#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "make run": everything from the base to a verdict that a person understands.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export LAB_JOB=run
take_lock
stop_on_signals
start=$SECONDS

suites=exclusive
only='boot.*,suite.exclusive,*.exclusive_*'
if [ -e "$LAB/guest/demo.c" ]; then
	suites=demo,exclusive
	only="$only,suite.demo,demo.*"
fi

"$LAB/install-tools.sh"
supervise "$LAB/prepare.sh" release
if ! grep -q exclusive_ "$TREE/tools/testing/selftests/vm/hmm-tests.c"; then
	say "the series has no test of exclusive access yet: running all of hmm-tests"
	suites=hmm
	only='boot.*,suite.hmm,hmm.*,hmm2.*'
fi
console=$LOGS/console-run.txt
supervise "$LAB/boot.sh" release "$suites" "$console"

rc=0
results=$(awk -f "$LAB/judge.awk" -v kernel=release \
	-v list="$(expected_list release)" -v only="$only" "$console") || rc=$?
say ''
sed -e 's/\r$//' -e 's/^\[ *[0-9.]*\] //' "$console" |
	sed -n '/^LAB begin demo/,/^LAB end demo/{/^LAB| /!d;s/^LAB| //;/^#  RUN/d;/^ok /d;p;}'
say ''
printf '%s\n' "$results" | grep -v '^ok release/\(boot\|suite\)' || :
say ''
passed=$(printf '%s\n' "$results" | grep -c '^ok ' || :)
failed=$(printf '%s\n' "$results" | grep -c '^not ok ' || :)
if [ "$rc" -eq 0 ]; then
	say "VERDICT: it works: $passed checks passed, kernel log clean, counters back where they were ($(duration $((SECONDS - start))))"
else
	say "VERDICT: it does NOT work: $failed checks failed, $passed passed"
fi
say "console: $console   logs: $LOGS"
exit "$rc"
