# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What check, matrix, baseline and mutants share: a work folder beside the one
# of run and test, with a tree of its own; results kept by what they came from;
# one line a result and the closing line. Sourced after lib.sh, never run.

# The state of the series' files, applied to the base: $head, a commit of
# $REPO. What is checked is the product, not what somebody works on.
side_prepare()
{
	[ -n "$BASE" ] || "$LAB/get-base.sh" || only_skipped $?
	"$LAB/make-tree.sh" || exit 1
	REPO=$TREE
	base=$(labgit -C "$REPO" rev-parse -q --verify 'refs/tags/base^{commit}') ||
		die "$REPO has no tag \"base\": nothing to apply the series to"
	head=$("$LAB/apply.sh" "$REPO" "$SERIES_DIR") || exit 1
	[ "$head" != "$base" ] || die "series/$SERIES holds no patch"
}

# side_enter NAME: from here on the scripts of the lab work in the folder
# NAME, with the same layout, so that the compiler cache serves both.
side_enter()
{
	export CCACHE_DIR=${CCACHE_DIR:-$BUILD/ccache}
	MAIN=$WORK
	SIDE=$WORK/$1
	BUILD=$SIDE
	WORK=$SIDE/$SERIES
	TREE=$WORK/tree
	LOGS=$MAIN/log/$1
	KEPT=$SIDE/kept
	RESULTS=$LOGS/results.txt
	export BUILD TREE
	mkdir -p "$WORK" "$LOGS" "$KEPT"
	ln -sfn "$LOGS" "$WORK/log"
	: >"$RESULTS"
	side_start=$SECONDS
}

# side_tree COMMIT: the folder's tree, at COMMIT and clean
side_tree()
{
	if [ ! -e "$TREE/.git" ] || ! labgit -C "$TREE" rev-parse -q --verify HEAD >/dev/null 2>&1; then
		need_space 3145728 "a tree of the base"
		rm -rf "$TREE"
		labgit -C "$REPO" worktree prune
		step tree.log "a tree of its own" \
			labgit -C "$REPO" worktree add --detach "$TREE" "$1" ||
			die "cannot check out the base"
	fi
	# A run that was killed may have left git's lock; the lab's own is held.
	rm -f "$(labgit -C "$TREE" rev-parse --absolute-git-dir)/index.lock"
	labgit -C "$TREE" reset -q --hard "$1" &&
		labgit -C "$TREE" clean -q -f -d
}

# Trees are what results are kept by: the same files give the same tree.
tree_of()
{
	labgit -C "$REPO" rev-parse "$1^{tree}"
}

sum_of()
{
	sha256sum | cut -c1-16
}

# object_warnings OUT: all that the compiler and sparse said of the objects
# that are there now (keep-warnings.sh). Those of others are dropped.
object_warnings()
{
	local file object

	find "$1" -name '*.cc-warnings' -o -name '*.sparse-warnings' |
		while read -r file; do
			object=${file%.cc-warnings}
			object=${object%.c.sparse-warnings}
			if [ -e "${object%.o}.o" ] || [ "$object" = "$1/selftest" ]; then
				cat "$file"
			else
				rm -f "$file"
			fi
		done
}

# count_warnings: "COUNT PATH: text", without line numbers, sorted by text;
# one line of source counts once however often it is compiled.
count_warnings()
{
	sed -n -E -e "s|^($TREE\|(\.\./)+tree)/||" \
		-e '/^[^ :]+:[0-9]+(:[0-9]+)?: (warning|error): /p' |
		sort -u | sed -E 's/^([^:]+):[0-9]+(:[0-9]+)?: /\1: /' |
		sort | uniq -c | sed -E 's/^ +//'
}

# has_object FILE.c: is it compiled on its own, or included by another?
has_object()
{
	local object=${1##*/}

	grep -q -s -w -F "${object%.c}.o" "$TREE/${1%/*}/Kbuild" "$TREE/${1%/*}/Makefile"
}

compiler_id()
{
	"$(compiler_program)" --version | head -n 1
}

# verdict "ok"|"not ok"|"skip" NAME [WHY]; details come from standard input
# of a failure.
verdict()
{
	if [ "$1" = skip ]; then
		say "skip $2: $3"
	else
		say "$1 $2"
		[ -z "${3:-}" ] || say "  # $3"
	fi | tee -a "$RESULTS" || unrecorded "$RESULTS"
	[ "$1" != 'not ok' ] || sed -n '1,60s/^/  # /p'
}

# verdict_by NAME WHY FILE: ok when the file is empty
verdict_by()
{
	if [ -s "$3" ]; then
		verdict 'not ok' "$1" "$2" <"$3"
	else
		verdict ok "$1"
	fi
}

side_conclude()
{
	conclude "$RESULTS" "$side_start" "${SIDE##*/}/ran" "nothing was checked"
}
