#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "make mutants": damage the series in one small place after the other, and
# see that the tests which each file of mutants/ names fail by it, and two that
# have nothing to do with it don't. The series without damage comes first, and
# must pass all of them. While one mutant is booted, the next one is built.
# ONLY=NAME,... takes some of the mutants.
# Functions are run by way of step; those that read $mutant run in subshells.
# shellcheck disable=SC2317,SC2030,SC2031

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=lab/side.sh
. "$LAB/side.sh"

export LAB_JOB=mutants
take_lock
stop_on_signals
"$LAB/install-tools.sh"

# What a mutant doesn't say in "Controls:"
CONTROLS='hmm.open_close hmm.anon_read'

# A damage may make the guest hang; that is never the death that is asked for.
export LAB_QUIET_LIMIT=${LAB_QUIET_LIMIT:-240}

# setting NAME: what the mutant's head says, "NAME: VALUE"
setting()
{
	sed -n -e '/^---/q' -e "s/^$1: *//p" "$mutant"
}

# chosen: those asked for; those of one file one after the other, which compiles
# least
chosen()
{
	for mutant in "$LAB"/mutants/*.patch; do
		name=${mutant##*/}
		name=${name%.patch}
		case ,${ONLY:-$name}, in
		*,"$name",*) printf '%s %s\n' "$(files_of)" "$mutant" ;;
		esac
	done | sort | sed 's/.* //'
}

files_of()
{
	sed -n 's,^+++ b/,,p' "$mutant" | paste -sd,
}

# folders_of: whose Makefile names the objects that change with the mutant; "all"
# if any may, or a module
folders_of()
{
	case $(files_of) in
	*.h* | *lib/test_hmm.c*) printf 'all' ;;
	*) files_of | tr , '\n' | sed 's,/nvkm/.*,,; t; s,/[^/]*$,,' | sort -u | paste -sd' ' ;;
	esac
}

# The tests of a mutant as the guest and the judge take them
tests_of()
{
	local controls

	controls=$(setting Controls)
	{
		setting Kills
		printf '%s\n' "${controls:-$CONTROLS}"
	} | tr -s ' ' '\n'
}

build()
{
	local folders='' whole=''

	"$LAB/configure.sh" "$kind" || return
	case " $stale $* " in
	*' all '*) whole=1 ;;
	*) folders=$(printf '%s\n' "$stale" "$@" | tr ' ' '\n' | grep . | sort -u | paste -sd' ') ;;
	esac
	# What a build that failed has left behind, the next one makes anew.
	stale="$stale $*"
	"$LAB/build.sh" "$kind" "$folders" || return
	stale="$*"
	# The modules are in there.
	[ -z "$whole" ] || "$LAB/make-initramfs.sh" "$kind"
}

# boot TESTS CONSOLE
boot()
{
	local programs

	programs=$(grep -v '^kunit\.\|^boot\.' <<<"$1" | sort -u | paste -sd, -)
	# A command line has 2048 bytes: with more names all tests are run.
	[ "${#programs}" -le 1500 ] || programs=
	"$LAB/boot.sh" "$kind" hmm "$2" "$programs"
}

# judge CONSOLE: "ok NAME" or "not ok NAME", without the kernel's name. That
# tests fail is what is asked for here: the lines count, not the exit status.
judge()
(
	set +o pipefail
	awk -f "$LAB/judge.awk" -v kernel=mutant -v list=/dev/null -v learn=1 "$1" |
		sed -n -E 's,^((not )?ok|skip) mutant/([^ :]+).*,\1 \3,p'
)

# sound CONSOLE TESTS: no mutant means anything unless the series passes
sound()
{
	local said

	said=$(judge "$1")
	{
		grep '^not ok boot\.' <<<"$said" || :
		for test in $2; do
			grep -q -x "ok $test" <<<"$said" || printf 'does not pass: %s\n' "$test"
		done
	} >"$SIDE/said"
	verdict_by mutants/none "the series itself:" "$SIDE/said"
	[ ! -s "$SIDE/said" ]
}

# died CONSOLE: of what it names, and of nothing else
died()
{
	local said test controls also

	said=$(judge "$1")
	controls=$(setting Controls)
	also=$(setting Also)
	for test in $(setting Kills); do
		grep -q -x "not ok $test" <<<"$said" ||
			printf 'not killed by %s (%s)\n' "$test" \
				"$(grep " $test\$" <<<"$said" || echo 'no result')"
	done
	for test in ${controls:-$CONTROLS}; do
		grep -q -x "ok $test" <<<"$said" ||
			printf 'the control %s does not pass\n' "$test"
	done
	sed -n 's/^not ok \(boot\..*\)/\1/p' <<<"$said" | while read -r test; do
		case " $(setting Kills) $also " in
		*" $test "*) ;;
		*) printf 'died of something else: %s\n' "$test" ;;
		esac
	done
}

# make_one: what keeps a mutant from being booted, if anything
# shellcheck disable=SC2046
make_one()
{
	if [ -z "$(setting Kills)" ] || [ -z "$(setting Damage)" ]; then
		printf 'it does not say what it damages and what kills it'
	elif [ ! -e "$kept" ]; then
		labgit -C "$TREE" checkout -q -f "$head"
		if ! labgit -C "$TREE" apply "$mutant" 2>"$SIDE/said"; then
			printf 'it does not apply'
		elif ! build $(folders_of) >"$SIDE/said" 2>&1; then
			printf 'it does not build'
		fi
	fi
}

# one: build a mutant, see how the one before it ended, boot it
one()
{
	local name kept why

	name=${mutant##*/}
	name=${name%.patch}
	kept=$KEPT/$name-$(printf '%s\n' "$id" "$(cat "$mutant")" | sum_of).console
	: >"$SIDE/said"
	make_one >"$SIDE/why"
	why=$(cat "$SIDE/why")
	last_one
	if [ -n "$why" ]; then
		verdict 'not ok' "mutants/$name" "$why" <"$SIDE/said"
	elif [ -e "$kept" ]; then
		judge_one
	else
		boot_one
	fi
}

# boot_one: by copies, since the next one is built meanwhile; in a process group
# of its own, which a signal ends
boot_one()
{
	cp "$WORK/$kind/arch/x86/boot/bzImage" "$WORK/$kind/initramfs" "$SIDE/"
	set -m
	(
		export KERNEL=$SIDE/bzImage INITRAMFS=$SIDE/initramfs
		boot "$(tests_of)" "$kept"
	) >"$SIDE/said.boot" 2>&1 </dev/null &
	SUPERVISED=$!
	set +m
	booted="$mutant $name $kept"
}

# last_one: the verdict on the mutant that is being booted, if one is
last_one()
{
	local mutant name kept rc=0

	[ -n "$booted" ] || return 0
	read -r mutant name kept <<<"$booted"
	booted=
	wait "$SUPERVISED" || rc=$?
	SUPERVISED=
	if [ "$rc" -ne 0 ]; then
		verdict 'not ok' "mutants/$name" "it does not boot" <"$SIDE/said.boot"
	else
		judge_one
	fi
}

judge_one()
{
	died "$kept" >"$SIDE/said.died"
	verdict_by "mutants/$name" "$(setting Damage)" "$SIDE/said.died"
}

# run_all: the series itself, then each mutant
run_all()
{
	local id all kept

	all=$(chosen | while read -r mutant; do tests_of; done | sort -u)
	[ -n "$all" ] || die "no mutant of that name"
	side_tree "$head"
	stale=all
	build || die "the series does not build"
	# Results hang on the tree less what isn't in the kernel, on how it was
	# configured and on the test program.
	id=$(labgit -C "$REPO" ls-tree -r "$head" | grep -v -P '\t(Documentation|tools)/' |
		sum_of)-$(sum_of <"$WORK/$kind/.config")-$(sum_of <"$WORK/guest/bin/hmm-tests")
	kept=$KEPT/none-$(printf '%s\n' "$id" "$all" | sum_of).console
	[ -e "$kept" ] || boot "$all" "$kept" || die "the series does not boot"
	sound "$kept" "$all" || return 0
	booted=
	for mutant in $(chosen); do
		one
	done
	last_one
}

side_prepare
side_enter mutants
kind=release
run_all
side_conclude
