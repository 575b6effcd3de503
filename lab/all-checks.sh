#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "make all-checks": test, check, matrix, baseline, bench, bench-locks (bench with
# LOCKS=1), later-tests and mutants, one after the other. Commit, date, minutes and closing line of each go into the table of
# docs/results.md, between its two marks. WHAT="test check" runs these, and renews
# their lines only.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_lock
stop_on_signals
results=$TOP/docs/results.md
begin='<!-- results: begin -->'
end='<!-- results: end -->'
rows=$BUILD/all-checks.rows
all='test check matrix baseline bench bench-locks later-tests mutants'
failed=0

[ "$(grep -c -x -F -e "$begin" -e "$end" "$results")" = 2 ] ||
	die "docs/results.md has no place for the last run"
for what in ${WHAT:-$all}; do
	case " $all " in
	*" $what "*) ;;
	*) die "WHAT: there is no such check: $what" ;;
	esac
done

# What asks for a password can't do so from where the checks run.
asked=" ${WHAT:-$all} "
tools=()
for what in check bench matrix; do
	[[ $asked != *" $what "* ]] || tools+=("$what")
done
"$LAB/install-tools.sh" "${tools[@]}"

run_one()
{
	case $1 in
	bench-locks) LOCKS=1 "$LAB/bench.sh" ;;
	*) "$LAB/$1.sh" ;;
	esac | tee "$BUILD/all-checks.$1"
}

# closing FILE: the line that says how it ended; the benchmark has one of its own
closing()
{
	grep -E -x -e '[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped' \
		-e 'every target is met' -e 'a target is missed' \
		-e 'processes that share no memory meet at no lock of an mm' "$1" | tail -n 1
}

# command_of WHAT: as a user types it
command_of()
{
	case $1 in
	bench-locks) printf 'make bench LOCKS=1' ;;
	*) printf 'make %s' "$1" ;;
	esac
}

# line_of WHAT: what the table says of it, from an earlier run
line_of()
{
	sed -n "/^$begin\$/,/^$end\$/p" "$results" | grep -F "| $(command_of "$1") |" || :
}

commit=$(commit_of_top)
mkdir -p "$BUILD"
: >"$rows"
for what in $all; do
	case " ${WHAT:-$all} " in
	*" $what "*) ;;
	*)
		line_of "$what" >>"$rows"
		continue
		;;
	esac
	one=$SECONDS
	rc=0
	supervise run_one "$what" || rc=$?
	said=$(closing "$BUILD/all-checks.$what") || :
	if [ "$rc" -ne 0 ] || [ -z "$said" ]; then
		failed=$((failed + 1))
		said=${said:-it did not come to its end}
	fi
	printf '| %s | %s | %s | %s | %s |\n' "$(command_of "$what")" "$said" "$commit" \
		"$(date -u '+%Y-%m-%d')" "$(((SECONDS - one + 59) / 60))" >>"$rows"
done
{
	sed "/^$begin\$/q" "$results"
	printf '\nOn %s processors, %s.\n\n' "$(nproc)" "$(uname -m)"
	printf '| command | result | commit | date | minutes |\n| --- | --- | --- | --- | ---: |\n'
	cat "$rows"
	printf '\n'
	sed -n "/^$end\$/,\$p" "$results"
} | replace "$results"
say ''
cat "$rows"
[ "$failed" -eq 0 ] || exit 1
