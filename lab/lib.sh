# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What every script of the lab shares: where things lie, how it speaks, the lock.
# Sourced, never run.

set -euo pipefail
export LC_ALL=C

# What a shell may have set for another kernel's build, or for make itself: with
# "make -k" or "-s" the kernel would be built so, too. CDPATH makes cd speak.
unset CDPATH MAKEFLAGS MFLAGS GNUMAKEFLAGS MAKEFILES ARCH CROSS_COMPILE \
	KBUILD_OUTPUT KBUILD_EXTMOD KBUILD_DEFCONFIG KCONFIG_CONFIG \
	KCONFIG_ALLCONFIG CFLAGS CPPFLAGS LDFLAGS

LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$LAB")

# The series to work on: a folder of series/
SERIES=${SERIES:-5.10}
SERIES_DIR=$TOP/series/$SERIES
[ -d "$SERIES_DIR" ] || {
	printf 'lab: SERIES: there is no series/%s\n' "$SERIES" >&2
	exit 1
}

# Everything that the lab makes lies under one folder.
BUILD=${BUILD:-$TOP/build}
case $BUILD in
/*) ;;
*) BUILD=$PWD/$BUILD ;;
esac
case $TOP/$BUILD in
*[[:space:]:]*)
	printf 'lab: a blank or a colon is in "%s" or "%s": a kernel builds in no such folder\n' \
		"$TOP" "$BUILD" >&2
	exit 1
	;;
esac

# A kernel tree of the user's own gets a work folder of its own.
BASE=${BASE:-}
if [ -n "$BASE" ]; then
	BASE=$(cd "$BASE" 2>/dev/null && pwd) || {
		printf 'lab: BASE: no such folder\n' >&2
		exit 1
	}
	WORK=$BUILD/$SERIES-own-$(printf '%s' "$BASE" | cksum | cut -d' ' -f1)
else
	WORK=$BUILD/$SERIES
fi
# The first patches only, as if there were no others
FIRST=${FIRST:-}
case $FIRST in
*[!0-9]* | 0*)
	printf 'lab: FIRST: not a number of patches\n' >&2
	exit 1
	;;
?*) WORK=$WORK-first$FIRST ;;
esac
TREE=${TREE:-$WORK/tree}
case $TREE in
/*) ;;
*) TREE=$PWD/$TREE ;;
esac
LOGS=$WORK/log

# free_memory: in megabytes, what this machine has available, or what is left of it
# for the cgroup that we are in: a container sees the memory of its host.
# LAB_MEMINFO, LAB_CGROUP: only the lab's own tests set them.
free_memory()
{
	local free left dir

	free=$(awk '$1 == "MemAvailable:" { kb = $2 } END { print int(kb / 1024) }' \
		"${LAB_MEMINFO:-/proc/meminfo}")
	dir=${LAB_CGROUP:-/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null || :)}
	while [ "${dir#/sys/fs/}" != "$dir" ] || [ "$dir" = "${LAB_CGROUP:-}" ]; do
		left=$(awk '
			FILENAME ~ /max$/ { limit = $1 }
			FILENAME ~ /current$/ { used = $1 }
			$1 == "inactive_file" || $1 == "active_file" { used -= $2 }
			END {
				if (limit ~ /^[0-9]+$/)
					print int((limit - used) / 1048576)
			}' "${dir%/}"/memory.{max,current,stat} 2>/dev/null) || left=
		[ -z "$left" ] || [ "$left" -ge "$free" ] || free=$left
		dir=${dir%/*}
	done
	printf '%s' "$free"
}

# As many jobs as there are processors, unless memory is short for so many
# compilers.
if [ -z "${JOBS:-}" ]; then
	JOBS=$(nproc)
	jobs=$(($(free_memory) / 256))
	[ "$JOBS" -le "$jobs" ] || JOBS=$((jobs > 2 ? jobs : 2))
fi

export SERIES BUILD BASE TREE JOBS FIRST

# git shall see the tree that it is told, and nothing of the user's configuration:
# hooks, signed commits and tags, am.threeWay, diff.noprefix, ...
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX GIT_COMMON_DIR GIT_NAMESPACE \
	GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_EXTERNAL_DIFF \
	GIT_DIFF_OPTS GIT_DEFAULT_HASH GIT_CONFIG GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS
# Looking at a tree writes nothing, which would fail on a full disk, too.
export GIT_OPTIONAL_LOCKS=0
# Before 2.32 git doesn't know GIT_CONFIG_GLOBAL; it looks below the other two.
labgit()
{
	GIT_CONFIG_GLOBAL=$LAB/git/config GIT_CONFIG_NOSYSTEM=1 \
	XDG_CONFIG_HOME=$LAB HOME=/nonexistent \
	git -c core.hooksPath=/nonexistent -c commit.gpgSign=false \
	    -c core.autocrlf=false -c gc.auto=0 -c advice.detachedHead=false "$@"
}

say()
{
	printf '%s\n' "$*"
}

warn()
{
	printf 'lab: %s\n' "$*" >&2
}

# die [line]: one clear line; a full disk is named as such, whatever it broke.
die()
{
	local free

	free=$(free_kb "$BUILD")
	if [ -n "$free" ] && [ "$free" -lt 10240 ]; then
		warn "the disk that holds $BUILD is full; $*"
	else
		warn "$*"
	fi
	exit 1
}

# Free space in kilobytes where a folder lies or would lie.
free_kb()
{
	local dir=$1

	while [ ! -d "$dir" ]; do
		dir=$(dirname "$dir")
	done
	df -Pk "$dir" | awk 'NR == 2 { print $4 }'
}

# need_space KILOBYTES WHAT
need_space()
{
	local free

	free=$(free_kb "$BUILD")
	[ "$free" -ge "$1" ] ||
		die "too little disk: $2 needs $((($1 + 1048575) / 1048576)) GB under $BUILD, $((free / 1048576)) GB are free"
}

# One job at a time in a build folder. The lock is inherited by everything
# that is started, so that it is held until the last of them is gone.
take_lock()
{
	[ -z "${LAB_LOCKED:-}" ] || return 0
	mkdir -p "$BUILD" || die "cannot make the build folder $BUILD"
	{ exec 9>>"$BUILD/lock"; } 2>/dev/null ||
		die "cannot write in the build folder $BUILD (made by another user?); set BUILD=DIR"
	flock -n 9 || die "another run is at work in $BUILD; wait for it, or set BUILD=DIR"
	LOCK=$BUILD/lock
	export LAB_LOCKED=1
}

# supervise COMMAND...: run it in a process group of its own, so that a signal
# to this script ends all of it at once. What asks on the terminal isn't run so.
supervise()
{
	local rc=0

	set -m
	"$@" </dev/null &
	SUPERVISED=$!
	set +m
	wait "$SUPERVISED" || rc=$?
	SUPERVISED=
	return "$rc"
}

SUPERVISED=
COUNTER=

# stop_on_signals: one line, and the exit status that a shell expects
stop_on_signals()
{
	trap on_signal INT TERM HUP
}

on_signal()
{
	trap '' INT TERM HUP
	if [ -n "$SUPERVISED" ]; then
		kill -TERM -- "-$SUPERVISED" 2>/dev/null || :
		# What was stopped is deaf, too.
		kill -CONT -- "-$SUPERVISED" 2>/dev/null || :
	fi
	[ -z "$COUNTER" ] || kill "$COUNTER" 2>/dev/null || :
	wait || :
	# Whoever types the next command finds the lock free.
	[ -z "${LOCK:-}" ] || { exec 9>&-; flock -w 10 "$LOCK" true || :; }
	printf '\n' >&2
	warn "interrupted; nothing half-made is kept, run it again to go on"
	exit 130
}

is_terminal()
{
	[ -t 1 ] && [ -z "${CI:-}" ]
}

# step LOG TEXT COMMAND...: run it with its output in a log; say what and how
# long; on failure show the end of the log. PROGRESS_RE and PROGRESS_OF make a
# counter of lines of the log on a terminal.
step()
{
	local log=$LOGS/$1 text=$2 start rc=0

	shift 2
	mkdir -p "$LOGS"
	start=$SECONDS
	if is_terminal; then
		# What a script puts in the background is deaf to Ctrl-C: that must
		# not be the command.
		count_on "$log" "$text" "$start" 9>&- &
		COUNTER=$!
	fi
	"$@" >"$log" 2>&1 </dev/null || rc=$?
	if [ -n "$COUNTER" ]; then
		kill "$COUNTER" 2>/dev/null || :
		wait "$COUNTER" 2>/dev/null || :
		COUNTER=
		printf '\r\033[K'
	fi
	if [ "$rc" -ne 0 ]; then
		tail -n 15 "$log" | sed 's/^/  | /' >&2
		warn "failed after $(duration $((SECONDS - start))): $text; the log is $log"
		return "$rc"
	fi
	say "$text: $(duration $((SECONDS - start)))"
}

# count_on LOG TEXT START: show progress for as long as this script lives
count_on()
{
	while kill -0 "$$" 2>/dev/null; do
		show_progress "$@"
		sleep 1
	done
}

show_progress()
{
	local count=''

	if [ -n "${PROGRESS_RE:-}" ] && [ -e "$1" ]; then
		count=" $(grep -c -E "$PROGRESS_RE" "$1" || :)"
		[ -z "${PROGRESS_OF:-}" ] || count="$count of about $PROGRESS_OF"
		count=$count,
	fi
	printf '\r\033[K%s:%s %s' "$2" "$count" "$(duration $((SECONDS - $3)))"
}

duration()
{
	if [ "$1" -ge 60 ]; then
		printf '%d min %02d s' $(($1 / 60)) $(($1 % 60))
	else
		printf '%d s' "$1"
	fi
}

# replace FILE: put standard input in place of a file, all or nothing; a file
# that already says the same keeps its date.
replace()
{
	local tmp=$1.tmp

	cat >"$tmp" || { rm -f "$tmp"; return 1; }
	if [ -e "$1" ] && cmp -s "$tmp" "$1"; then
		rm -f "$tmp"
	else
		mv -f "$tmp" "$1"
	fi
}

# The user's own tree is a kernel's, if there is one.
own_base_is_kernel()
{
	[ -z "$BASE" ] || [ -e "$BASE/mm/rmap.c" ] ||
		die "BASE=$BASE is not a kernel tree"
}

# base_field NAME: a field of the series' BASE file
base_field()
{
	awk -v name="$1" '$1 == name { $1 = ""; sub(/^ +/, ""); print; exit }' \
		"$SERIES_DIR/BASE"
}

series_patches()
{
	[ -e "$SERIES_DIR/series" ] || return 0
	sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$SERIES_DIR/series" |
		sed -n "1,${FIRST:-\$}p"
}

# Does the tree have nouveau's tests? The first patches alone don't.
has_nouveau_tests()
{
	grep -q -s 'DRM_NOUVEAU_SVM_KUNIT_TEST' "$TREE/drivers/gpu/drm/nouveau/Kconfig"
}

# common_fragments FRAGMENT: what the configuration of a kernel of the lab is
# merged from, a file a line, FRAGMENT last
common_fragments()
{
	printf '%s\n' "$LAB/config/common.config"
	! has_nouveau_tests || printf '%s\n' "$LAB/config/nouveau.config"
	printf '%s\n' "$1"
}

# expected_list KIND: the file that lists a kernel's expected tests
expected_list()
{
	local list=$LAB/expected/$1.list

	if ! has_nouveau_tests; then
		grep -v "^$1/\(kunit\.nouveau\|suite\.card\|card\.\)" "$list" |
			replace "$LOGS/expected-$1.list"
		list=$LOGS/expected-$1.list
	fi
	printf '%s' "$list"
}

# The compiler and make arguments: one place, so that all parts agree.
kernel_make()
{
	local out=$1

	shift
	CCACHE_DIR=${CCACHE_DIR:-$BUILD/ccache} CCACHE_BASEDIR=$BUILD \
	CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-6G} \
	KBUILD_BUILD_TIMESTAMP='1970-01-01' KBUILD_BUILD_USER=lab \
	KBUILD_BUILD_HOST=lab KBUILD_BUILD_VERSION=1 \
	make -C "$TREE" O="$out" -j"$JOBS" \
		CC="$(ccache_prefix)$(target_cc)" \
		${LLVM:+LLVM="$LLVM"} "$@"
}

target_cc()
{
	if [ -n "${CC:-}" ]; then
		printf '%s' "$CC"
	elif [ -n "${LLVM:-}" ]; then
		printf 'clang'
	else
		printf 'gcc'
	fi
}

# compiler_program: the compiler's own name, as CC may have arguments and ccache
compiler_program()
{
	target_cc | awk '{ print ($1 ~ /(^|\/)ccache$/ ? $2 : $1) }'
}

ccache_prefix()
{
	case $(target_cc) in
	*ccache*) ;;
	*) ! command -v ccache >/dev/null || printf 'ccache ' ;;
	esac
}

# commit_of_top: what a recorded figure is a figure of; the table of results, which
# is written between one command and the next, is no change
commit_of_top()
{
	local commit

	commit=$(git -C "$TOP" rev-parse --short=12 HEAD 2>/dev/null) || commit='no commit'
	[ -z "$(git -C "$TOP" status --porcelain --untracked-files=no -- \
		':(exclude)docs/results.md' 2>/dev/null)" ] || commit="$commit, with changes"
	printf '%s' "$commit"
}

# unrecorded FILE: a result that isn't recorded isn't counted: then there is no verdict
unrecorded()
{
	die "cannot record results in $1"
}

# conclude RESULTS START NAME WHY: the closing line and the exit status, from
# the results alone; with none there is one failure, NAME, because of WHY.
conclude()
{
	local passed failed skipped

	passed=$(grep -c '^ok ' "$1" || :)
	failed=$(grep -c '^not ok ' "$1" || :)
	skipped=$(grep -c '^skip ' "$1" || :)
	if [ "$passed" -eq 0 ] && [ "$failed" -eq 0 ]; then
		say "not ok $3"
		say "  # $4"
		failed=1
	fi
	say ''
	say "time: $(duration $((SECONDS - $2))); logs, consoles and results: $LOGS"
	say "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] || exit 1
	exit 0
}

# skip_series: the base is gone, and with it what there is to try
skip_series()
{
	say "skip series-$SERIES/all: the base is no longer in the archive"
}

# only_skipped STATUS: the end of a command that couldn't prepare anything
only_skipped()
{
	[ "$1" -eq 3 ] || exit "$1"
	skip_series
	say "0 passed, 0 failed, 1 skipped"
	exit 0
}

# The suites that "make test" runs on a kernel, in order; the tree is there
suites_of()
{
	local suites=hmm

	[ ! -e "$LAB/guest/demo.c" ] || suites=demo,$suites
	# What the base's recorded baseline says of its vm selftests
	[ "${1:-}" != release ] || suites=$suites,vm
	! has_nouveau_tests || suites=$suites,card
	printf '%s' "$suites"
}

# ---- the state of a tree: what it was made from, in its .git/lab-state ----

# The series' files as one number
series_sum()
{
	local patch

	for patch in $(series_patches); do
		cat "$SERIES_DIR/$patch" || return 1
	done | sha256sum | cut -c1-40
}

tree_state()
{
	awk -v name="$1" '$1 == name { $1 = ""; sub(/^ /, ""); print; exit }' \
		"$TREE/.git/lab-state" 2>/dev/null || :
}

# write_state TREE BASE SERIES HEAD
write_state()
{
	printf 'base %s\nseries %s\nhead %s\n' "$2" "$3" "$4" |
		replace "$1/.git/lab-state"
}

# Does the tree hold commits or changes that the series' files don't have?
own_work()
{
	local changes

	# What git can't tell is taken for work.
	changes=$(labgit -C "$TREE" status --porcelain --untracked-files=normal) || return 0
	[ "$(labgit -C "$TREE" rev-parse HEAD)" != "$(tree_state head)" ] ||
		[ "$(labgit -C "$TREE" rev-parse series)" != "$(tree_state head)" ] ||
		[ -n "$changes" ]
}

# remove_tree: half of a tree must not be there under its name, where it would be
# taken for somebody's own
remove_tree()
{
	rm -rf "$TREE.tmp"
	[ ! -e "$TREE" ] || mv "$TREE" "$TREE.tmp"
	rm -rf "$TREE.tmp"
}

# Does it hold branches, tags or stashes that the lab didn't make?
other_work()
{
	local refs

	refs=$(labgit -C "$TREE" for-each-ref --format='%(refname)') || return 0
	grep -q -v -x -e refs/heads/series -e refs/tags/base <<<"$refs"
}
