#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "make check": what a reviewer's scripts would say of the series and of the
# lab. Builds with W=1 and sparse after each patch and holds the warnings
# against those of the base; FULL=1 builds the whole kernel for that, and
# ONLY=N,... does so after these patches alone (the last one: the whole series).

# Functions are run by way of step.
# shellcheck disable=SC2317

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=lab/side.sh
. "$LAB/side.sh"

export LAB_JOB=check
take_lock
stop_on_signals
"$LAB/install-tools.sh" check

fragments=("$LAB/config/common.config" "$LAB/config/release.config"
	   "$LAB/config/check.config")

# ---- the form of the patches ----

# checkpatch_all: the one error allowed to every patch is the sign-off, which
# is given by whoever sends it. lab/checkpatch.allow names further ones, each
# of which must still be needed, and be spoken of in the patch's message.
checkpatch_all()
{
	local patch spoken said=$SIDE/checkpatch used=$SIDE/checkpatch.one

	: >"$used"
	side_tree "$head"
	for patch in $(series_patches); do
		# Its exit status tells no more than its lines. A Python of
		# the user's own may lack what the system's has.
		# It leaves a file where it is run (.checkpatch-camelcase.*).
		(cd "$TREE" && PATH=/usr/sbin:/usr/bin:/sbin:/bin perl scripts/checkpatch.pl --strict \
			--terse --show-types --no-summary "$SERIES_DIR/$patch") |
			sed "s|^$SERIES_DIR/||" >"$said" || :
		spoken=$(awk '/^---$/{ exit } { print }' "$SERIES_DIR/$patch" |
			grep -c -i checkpatch || :)
		awk -v patch="$patch" -v used="$used" -v spoken="$spoken" '
			FNR == NR {
				if ($0 !~ /^#/ && NF >= 2)
					allow[$1 " " $2] = 1
				next
			}
			match($0, /(ERROR|WARNING|CHECK):[A-Z_]+/) {
				type = substr($0, RSTART, RLENGTH)
				sub(/^[A-Z]+:/, "", type)
				if (type == "MISSING_SIGN_OFF")
					next
				number = substr(patch, 6)
				sub(/\.patch$/, "", number)
				if (allow[type " " number] && spoken) {
					print type " " number >used
					next
				}
			}
			{ print }' "$LAB/checkpatch.allow" "$said" >"$said.left"
		cat "$used" >>"$said.used"
		verdict_by "check/checkpatch.${patch%.patch}" '' "$said.left"
	done
	sort -u "$said.used" 2>/dev/null >"$said.needed" || :
	rm -f "$said.used"
	awk '$0 !~ /^#/ && NF >= 2 { print $1 " " $2 }' "$LAB/checkpatch.allow" |
		sort -u | comm -23 - "$said.needed" >"$said.stale"
	verdict_by check/checkpatch.allow "allowed, and not needed any more:" "$said.stale"
}

# ---- warnings ----

# more_warnings BASE NOW: the warnings that are in NOW and not, or less often, in BASE
more_warnings()
{
	awk '
		{ n = $1; sub(/^[0-9]+ /, "") }
		FNR == NR && FILENAME == ARGV[1] { base[$0] = n; next }
		n > base[$0] + 0 { print $0 (base[$0] ? " (one more of these)" : "") }
	' "$1" "$2"
}

# What is built: the parts of the kernel that deal with page tables, and
# whatever else the series touches.
targets()
{
	local file

	if [ -n "${FULL:-}" ]; then
		printf 'all\n'
		return
	fi
	printf 'mm/\nfs/proc/\nlib/\n'
	labgit -C "$REPO" diff --name-only "$base" "$head" -- '*.c' \
		':!mm/' ':!fs/proc/' ':!lib/' ':!tools/' ':!samples/' ':!arch/powerpc/' |
		while read -r file; do
			[ ! -e "$TREE/$file" ] || ! has_object "$file" ||
				printf '%s\n' "${file%.c}.o"
		done
}

configure()
{
	rm -rf "$out.config"
	mkdir -p "$out.config" "$out"
	kernel_make "$out.config" x86_64_defconfig kvm_guest.config &&
	(cd "$TREE" && scripts/kconfig/merge_config.sh -m -O "$out.config" \
		"$out.config/.config" "${fragments[@]}") &&
	kernel_make "$out.config" olddefconfig &&
	replace "$out/.config" <"$out.config/.config"
}

compile()
{
	local want

	want=$(targets)
	configure || return 1
	# shellcheck disable=SC2086
	kernel_make "$out" CC="$LAB/keep-warnings.sh $(ccache_prefix)$(target_cc)" \
		W=1 C=1 CHECK="$LAB/keep-warnings.sh sparse" $want &&
	kernel_make "$out" headers &&
	selftest
}

# The test program is compiled with its own headers and all of -Wall, those for
# a card by their Makefile.
selftest()
{
	local vm=$TREE/tools/testing/selftests/vm
	local nouveau=$TREE/tools/testing/selftests/drivers/nouveau
	local card=$out/selftest-card

	gcc -Wall -fsyntax-only -isystem "$LAB/guest/include" \
		-isystem "$out/usr/include" "$vm/hmm-tests.c" \
		2>"$out/selftest.cc-warnings" ||
		{ cat "$out/selftest.cc-warnings"; return 1; }
	[ -e "$nouveau/svm_copy.c" ] || return 0
	rm -rf "$card"
	mkdir -p "$card"
	make -C "$nouveau" OUTPUT="$card" CC=gcc \
		USERCFLAGS="-isystem $out/usr/include" all \
		2>>"$out/selftest.cc-warnings" ||
		{ cat "$out/selftest.cc-warnings"; return 1; }
}

# built COMMIT KEPT: the warnings of a tree, counted, in the file KEPT
built()
{
	side_tree "$1"
	PROGRESS_RE='^  (CC|CHECK) ' PROGRESS_OF='' \
		step "build-${2##*/}.log" "building ${3}" compile || return 1
	object_warnings "$out" | count_warnings | replace "$2"
}

warnings_all()
{
	local how kept commit n=0 patch

	out=$WORK/w1
	how=$({ cat "${fragments[@]}"; compiler_id; sparse --version
		printf '%s\n' "${FULL:-}"; } | sum_of)
	# Each patch is held against the base, with the files of the whole
	# series: what a patch adds, the next ones show too.
	kept_base=$KEPT/w1-$how-$(labgit -C "$REPO" diff --name-only "$base" "$head" -- '*.c' | sum_of)-base
	if [ ! -e "$kept_base" ]; then
		built "$base" "$kept_base" "the base, W=1 and sparse" ||
			die "the base does not build"
	fi
	cp "$kept_base" "$SIDE/before"
	for patch in $(series_patches); do
		n=$((n + 1))
		case ,${ONLY:-$n}, in
		*,"$n",*) ;;
		*) continue ;;
		esac
		commit=$(labgit -C "$REPO" rev-list --reverse "$base..$head" | sed -n "${n}p")
		kept=$KEPT/w1-$how-$(tree_of "$commit")
		if [ ! -e "$kept" ] && ! built "$commit" "$kept" "patch $n, W=1 and sparse"; then
			verdict 'not ok' "check/warnings.${patch%.patch}" "it does not build" </dev/null
			continue
		fi
		more_warnings "$SIDE/before" "$kept" >"$SIDE/more"
		verdict_by "check/warnings.${patch%.patch}" "new with W=1 or sparse:" "$SIDE/more"
		# What a patch is told of, the next isn't told of again.
		cp "$kept" "$SIDE/before"
	done
}

kernel_doc()
{
	local file

	: >"$SIDE/doc.base"
	: >"$SIDE/doc.head"
	for commit in base head; do
		side_tree "${!commit}"
		labgit -C "$REPO" diff --name-only "$base" "$head" -- '*.c' '*.h' |
			while read -r file; do
				[ -e "$TREE/$file" ] || continue
				"$TREE/scripts/kernel-doc" -none "$TREE/$file" 2>&1 || :
			done | count_warnings >"$SIDE/doc.$commit"
	done
	more_warnings "$SIDE/doc.base" "$SIDE/doc.head" >"$SIDE/more"
	verdict_by check/kernel-doc '' "$SIDE/more"
}

# ---- the lab ----

shell_files()
{
	find "$LAB" "$TOP/.ci" -type f -exec \
		awk 'FNR == 1 && /^#!.*sh$/ || FNR <= 3 && /^# shellcheck shell=/ {
			print FILENAME; nextfile }' {} +
}

shell_check()
{
	local files

	mapfile -t files < <(shell_files)
	[ "${#files[@]}" -gt 10 ] || die "the lab's scripts are not found"
	(cd "$TOP" && shellcheck -x -f gcc "${files[@]}") >"$SIDE/said" 2>&1 || :
	sed -i "s|^$TOP/||" "$SIDE/said"
	verdict_by check/shellcheck '' "$SIDE/said"
}

spdx()
{
	# A console and its verdict are data, compared to the byte.
	find "$LAB" "$TOP/.ci" "$TOP/Makefile" -type f \
		! -name '*.console' ! -name '*.verdict' \
		! -name '*.figures' ! -name '*.table' |
		while read -r file; do
			head -n 4 "$file" | grep -q 'SPDX-License-Identifier: ' ||
				printf '%s\n' "${file#"$TOP"/}"
		done >"$SIDE/said"
	verdict_by check/spdx "no SPDX line:" "$SIDE/said"
}

spelling()
{
	local patch texts=$SIDE/texts words

	rm -rf "$texts"
	mkdir -p "$texts"
	# Of the patches: their messages, and the lines that they add
	for patch in $(series_patches) 0000-cover-letter.patch; do
		[ -e "$SERIES_DIR/$patch" ] || continue
		awk '/^diff --git /{ diff = 1 } !diff && !/^From |^index / || diff && /^\+[^+]/' \
			"$SERIES_DIR/$patch" >"$texts/$patch"
	done
	words=$(sed -e 's/#.*//' -e '/^ *$/d' "$LAB/codespell.ignore" | paste -sd, -)
	{
		(cd "$texts" && codespell -L "$words" .)
		(cd "$TOP" && codespell -L "$words" lab docs README.md \
			CONTRIBUTING.md CHANGES Makefile .ci \
			--skip '*.console,*.verdict')
	} >"$SIDE/said" 2>&1 || :
	verdict_by check/codespell '' "$SIDE/said"
}

# The files of the series are what export makes of their commits: the lab's
# own export, run on a copy.
export_again()
{
	local copy=$SIDE/export

	side_tree "$head"
	rm -rf "$copy"
	mkdir -p "$copy"
	cp -r "$TOP/lab" "$TOP/series" "$copy/"
	if (unset WORK; BUILD=$copy/build TREE=$TREE LAB_LOCKED=1 \
		"$copy/lab/export.sh") >"$SIDE/said" 2>&1; then
		diff -r -u "$SERIES_DIR" "$copy/series/$SERIES" >"$SIDE/said" || :
	fi
	verdict_by check/export-reproduces '' "$SIDE/said"
	rm -rf "$copy"
}

# Every mutant still fits the series, and what must kill it is a test that runs.
# What a mutant does is for "make mutants" to see.
mutants_fit()
{
	local mutant test

	side_tree "$head"
	for mutant in "$LAB"/mutants/*.patch; do
		labgit -C "$TREE" apply --check "$mutant" 2>&1 |
			sed "s|^|${mutant##*/}: |" || :
		sed -n -e '/^---/q' -e 's/^Kills: *//p' -e 's/^Controls: *//p' "$mutant" |
			tr -s ' ' '\n' | while read -r test; do
			grep -q -x -F "release/$test" "$LAB/expected/release.list" ||
				printf '%s: %s is no expected test\n' "${mutant##*/}" "$test"
		done
	done >"$SIDE/said"
	verdict_by check/mutants-fit '' "$SIDE/said"
}

# Every branch of the files of pure logic is taken by their suite.
coverage()
{
	side_tree "$head"
	if ! has_nouveau_tests; then
		return
	elif "$LAB/coverage.sh" >"$SIDE/said" 2>&1; then
		: >"$SIDE/said"
	fi
	verdict_by check/coverage '' "$SIDE/said"
}

side_prepare
side_enter check
verdict ok check/applies
checkpatch_all
export_again
shell_check
spdx
spelling
kernel_doc
mutants_fit
coverage
warnings_all
side_conclude
