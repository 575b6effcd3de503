#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The lab's own tests: recorded consoles and the verdict that each must get.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

failed=0

# check NAME GOT WANTED
check()
{
	if [ "$2" = "$3" ]; then
		say "ok lab/$1"
	else
		say "not ok lab/$1"
		diff <(printf '%s\n' "$3") <(printf '%s\n' "$2") | sed 's/^/  # /' || :
		failed=1
	fi
}

for console in "$LAB"/selftest/*.console; do
	name=${console##*/}
	name=${name%.console}
	rc=0
	only=
	case $name in
	# as make run asks: a part of a suite, and what runs in each boot
	only-*) only='boot.*,suite.part,hmm.anon_*' ;;
	esac
	got=$(awk -f "$LAB/judge.awk" -v kernel=release -v only="$only" \
		-v list="$LAB/selftest/list" "$console") || rc=$?
	got=$(printf '%s\nexit status %s\n' "$got" "$rc")
	check "judge.$name" "$got" "$(cat "${console%.console}.verdict")"
done

# The same for the benchmark: recorded figures, and the table that each must get.
for figures in "$LAB"/selftest/bench/*.figures; do
	name=${figures##*/}
	name=${name%.figures}
	reference=1
	slack=1
	case $name in
	other-compiler-*) reference=0 ;;
	slack) slack=1.1 ;;
	esac
	rc=0
	got=$(awk -f "$LAB/bench/judge.awk" -v reference="$reference" \
		-v slack="$slack" -v subs=0 -v judged=1 \
		"$LAB/selftest/bench/targets" "$figures") || rc=$?
	got=$(printf '%s\nexit status %s\n' "$got" "$rc")
	check "bench.$name" "$got" "$(cat "${figures%.figures}.table")"
done

# The tests that the documents name are those that run.
if got=$("$LAB/docs-tests.sh" 2>&1); then
	say "ok lab/docs.tests"
else
	say "not ok lab/docs.tests"
	printf '%s\n' "$got" | sed 's/^/  # /'
	failed=1
fi
exit "$failed"
