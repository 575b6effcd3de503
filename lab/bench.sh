#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "make bench": what device-exclusive memory costs, in instructions a page, held
# against lab/bench/targets. SHORT=1: 64 MiB only, and a target is missed when it
# is missed by more than a tenth. OUT=FOLDER: where table, CSV and picture go.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export LAB_JOB=bench
take_lock
stop_on_signals
start=$SECONDS
short=${SHORT:-}
out=${OUT:-$WORK/bench-results}
kinds=(bench)
sizes=64
# Nothing is said while a GiB is measured.
export LAB_QUIET_LIMIT=${LAB_QUIET_LIMIT:-1800} LAB_LIMIT=${LAB_LIMIT:-10800}
slack=1.1
picture=
if [ -z "$short" ]; then
	kinds+=(bench-memcg)
	sizes=1,64,512,1024
	slack=1
	picture=1
fi
if [ -n "$picture" ]; then
	"$LAB/install-tools.sh" bench
else
	"$LAB/install-tools.sh"
fi
mkdir -p "$out"

compiler=$("$(compiler_program)" --version | head -n 1)
emulator=$(qemu-system-x86_64 --version | head -n 1)
reference=0
case $compiler/$emulator in
*"(Debian 12."*/*"version 7.2."*"(Debian "*) reference=1 ;;
esac

# one KIND: build, boot, keep what it says
one()
{
	local console=$LOGS/console-$1.txt rc

	supervise "$LAB/prepare.sh" "$1" || {
		rc=$?
		[ "$rc" -ne 3 ] || {
			say "skip bench: the base of series/$SERIES is no longer in the archive"
			rc=0
		}
		exit "$rc"
	}
	supervise "$LAB/boot.sh" "$1" bench "$console" "$sizes"
	sed -e 's/\r$//' -e 's/^\[ *[0-9.]*\] //' "$console" |
		sed -n 's/^LAB| //p' >"$out/$1.figures"
	grep -q '^HOST end' "$console" ||
		die "the $1 guest did not end by itself; the console is $console"
	! grep -E -q '(WARNING|BUG|Oops|Call Trace)' "$console" ||
		die "the $1 kernel complains; the console is $console"
	grep -q -x 'done' "$out/$1.figures" ||
		die "the benchmark did not come to its end; the console is $console"
}

# locks: who waits for whom, on a kernel that counts it. Processes that share no
# memory must not meet at a lock of an mm.
locks()
{
	local met

	sizes=locks
	one bench-locks
	printf '\n'
	awk 'BEGIN {
		print "| | threads | lock | contentions | acquisitions |"
		print "| --- | ---: | --- | ---: | ---: |"
	}
	$1 == "locks" {
		class = $4
		for (i = 5; i < NF - 1; i++)
			class = class " " $i
		print "| " $2 " | " $3 " | " class " | " $(NF - 1) " | " $NF " |"
	}' "$out/bench-locks.figures" | tee "$out/locks.md"
	met=$(awk '$1 == "locks" && $2 == "different-mms" && $(NF - 1) > 0 &&
		/mmap_lock|ptlock|page_table_lock|anon_vma/' "$out/bench-locks.figures")
	grep -q '^locks ' "$out/bench-locks.figures" || die "no lock was counted"
	[ -z "$met" ] || die "processes that share no memory wait for each other: $met"
	[ -z "${UPDATE:-}" ] || {
		printf 'On %s processors, at commit %s, %s:\n\n' \
			"$(nproc | awk '{ print $1 < 8 ? $1 : 8 }')" "$(commit_of_top)" \
			"$(date -u '+%Y-%m-%d')"
		cat "$out/locks.md"
	} | between docs/cost.md locks
	say "processes that share no memory meet at no lock of an mm"
}

csv()
{
	local kind

	printf 'kernel,figure,mib,pages_a_call,subscribers,pages,median,least,most\n'
	for kind in "${kinds[@]}"; do
		awk -v kind="$kind" '$1 == "figure" {
			print kind "," $2 "," $3 "," $4 "," $5 "," $6 "," $7 "," $8 "," $9
		}' "$out/$kind.figures"
	done
}

# table_csv: the judged table once more
table_csv()
{
	printf 'text,figure,floor,ratio,target,verdict\n'
	awk -f "$LAB/bench/judge.awk" -v csv=1 -v reference="$reference" -v slack="$slack" \
		-v subs=0 -v judged=1 "$LAB/bench/targets" "$out/bench.figures" || :
}

with_what()
{
	local loop

	loop=$(awk '$2 == "two-instructions" { printf "%.4f", $7 / 2 }' "$out/bench.figures")
	printf 'Measured with %s; %s; x86_64_defconfig, kvm_guest.config and lab/config/bench.config; command line "%s"; -icount shift=0,sleep=off -smp 1; %s ns an instruction in a loop of known length.\n' \
		"$compiler" "$emulator" "mitigations=off nokaslr norandmaps" "$loop"
	[ "$reference" = 1 ] ||
		printf 'This is not the compiler and the emulator that the targets were set with: a target counts as missed when the ratio to the floor is.\n'
}

table()
{
	local rc=0

	printf 'Instructions per page of 4 KiB at 64 MiB, median of 5, at commit %s, %s. MEMCG=n, no MMU notifier:\n\n' \
		"$(commit_of_top)" "$(date -u '+%Y-%m-%d')"
	awk -f "$LAB/bench/judge.awk" -v reference="$reference" -v slack="$slack" \
		-v subs=0 -v judged=1 "$LAB/bench/targets" "$out/bench.figures" || rc=1
	printf '\nThe same with one MMU notifier subscriber that does nothing (not held against the targets):\n\n'
	awk -f "$LAB/bench/judge.awk" -v reference="$reference" -v slack="$slack" \
		-v subs=1 -v judged=0 "$LAB/bench/targets" "$out/bench.figures" || rc=1
	if [ -e "$out/bench-memcg.figures" ]; then
		printf '\nThe same with MEMCG=y, no MMU notifier (not held against the targets):\n\n'
		awk -f "$LAB/bench/judge.awk" -v reference="$reference" -v slack="$slack" \
			-v subs=0 -v judged=0 "$LAB/bench/targets" \
			"$out/bench-memcg.figures" || rc=1
	fi
	printf '\n'
	with_what
	return "$rc"
}

# points FIGURE BATCH: size and cost, for the picture
points()
{
	awk -v name="$1" -v batch="$2" '$1 == "figure" && $2 == name &&
		$4 == batch && $5 == 0 { print $3, ($7 > 0.1 ? $7 : 0.1) }' \
		"$out/bench.figures" | sort -n
}

draw()
{
	local name plots=()

	for name in convert-1 convert-16 convert-512 again-512 random-0 in-order-512 \
		    huge-convert-512 huge-in-order-0 mprotect-0 write-fault-0; do
		points "${name%-*}" "${name##*-}" >"$out/$name.points"
		[ -s "$out/$name.points" ] || continue
		case $name in
		mprotect-0) plots+=("'$out/$name.points' with lines dashtype 2 title 'floor: mprotect there and back'") ;;
		write-fault-0) plots+=("'$out/$name.points' with lines dashtype 2 title 'floor: write fault'") ;;
		*-0) plots+=("'$out/$name.points' with linespoints title '${name%-0}'") ;;
		*) plots+=("'$out/$name.points' with linespoints title '${name%-*}, ${name##*-} a call'") ;;
		esac
	done
	{
		printf 'set terminal svg size 900,600 dynamic background "white"\n'
		printf 'set logscale xy\nset grid\nset key below\n'
		printf 'set xlabel "MiB"\nset ylabel "instructions per page of 4 KiB"\n'
		printf 'set xrange [0.8:1300]\nset yrange [0.5:3000]\n'
		printf 'set xtics (1, 16, 64, 256, 1024)\n'
		printf 'plot %s\n' "$(printf '%s, \\\n' "${plots[@]}" | sed '$s/, \\$//')"
	} >"$out/bench.gnuplot"
	gnuplot "$out/bench.gnuplot" >"$out/bench.svg"
	rm -f "$out"/*.points
}

# between FILE [NAME]: what is read goes between the two marks of a document
between()
{
	local page=$TOP/$1 begin="<!-- ${2:-bench}: begin -->" end="<!-- ${2:-bench}: end -->"

	[ "$(grep -c -x -F -e "$begin" -e "$end" "$page")" = 2 ] ||
		die "$1 has no place for the table"
	{
		sed "/^$begin\$/q" "$page"
		printf '\n'
		cat
		printf '\n'
		sed -n "/^$end\$/,\$p" "$page"
	} | replace "$page"
}

# update: all of it into docs/cost.md, its first table and the picture into README.md
update()
{
	{
		cat "$out/bench.md"
		printf '\n![cost per page over size](cost.svg)\n\nThe first table: [cost-table.csv](cost-table.csv). All figures: [cost.csv](cost.csv).\n'
	} | between docs/cost.md
	{
		# the first table, and what stands before it
		awk '/^\|/ { table = 1 } table && !/^\|/ { exit } { print }' "$out/bench.md"
		printf '\n![cost per page over size](docs/cost.svg)\n'
	} | between README.md
	replace "$TOP/docs/cost.csv" <"$out/bench.csv"
	replace "$TOP/docs/cost-table.csv" <"$out/bench-table.csv"
	replace "$TOP/docs/cost.svg" <"$out/bench.svg"
}

if [ -n "${LOCKS:-}" ]; then
	locks
	exit 0
fi
[ -z "${UPDATE:-}" ] || [ -z "$short" ] ||
	die "UPDATE=1 goes with all sizes, not with SHORT=1"
for kind in "${kinds[@]}"; do
	one "$kind"
done
csv | replace "$out/bench.csv"
table_csv | replace "$out/bench-table.csv"
rc=0
table >"$out/bench.md" || rc=$?
[ -z "$picture" ] || draw
[ -z "${UPDATE:-}" ] || update
say ''
cat "$out/bench.md"
say ''
say "table, CSV and picture: $out; time: $(duration $((SECONDS - start)))"
[ "$rc" -eq 0 ] || {
	say "a target is missed"
	exit 1
}
say "every target is met"
