#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# apply.sh REPO SERIES_DIR: apply a series to the commit tagged "base" of REPO,
# beside its work tree, and print the new head. Nothing of REPO's branches or
# files changes. What doesn't apply is named: patch, file, line.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

repo=$1
SERIES_DIR=$2
wt=$WORK/apply.tmp

drop_worktree()
{
	rm -rf "$wt"
	labgit -C "$repo" worktree prune
}

# touched: the files that the patches name, the only ones to check out
touched()
{
	local patch

	for patch in $(series_patches); do
		sed -n -e 's,^--- a/,/,p' -e 's,^+++ b/,/,p' \
			-e 's,^rename from ,/,p' "$SERIES_DIR/$patch"
	done | sed 's/[[:space:]]*$//' | sort -u
}

mkdir -p "$LOGS"
trap drop_worktree EXIT
drop_worktree
worktree()
{
	labgit -C "$repo" worktree add -q --no-checkout --detach "$wt" base &&
	if [ -n "$(series_patches)" ]; then
		labgit -C "$wt" sparse-checkout init &&
		touched | labgit -C "$wt" sparse-checkout set --stdin &&
		labgit -C "$wt" read-tree -mu HEAD
	fi
}

worktree >&2 || die "cannot check out the base of $repo to apply the series to"
n=0
total=$(series_patches | wc -l)
progress()
{
	[ -t 2 ] && [ -z "${CI:-}" ] || return 0
	# shellcheck disable=SC2059
	printf "\r\033[K$1" "${@:2}" >&2
}
for patch in $(series_patches); do
	progress 'applying the series: %s of %s patches' "$n" "$total"
	n=$((n + 1))
	# A fixed committer and the author's date make fixed commit ids.
	GIT_COMMITTER_NAME=lab GIT_COMMITTER_EMAIL=lab \
		labgit -C "$wt" am -q --committer-date-is-author-date \
		"$SERIES_DIR/$patch" >"$LOGS/apply.log" 2>&1 </dev/null && continue
	progress ''
	if grep -q '^error: patch failed: ' "$LOGS/apply.log"; then
		sed -n "s|^error: patch failed: |  \| $patch: the hunk at |p" \
			"$LOGS/apply.log" >&2
	else
		tail -n 5 "$LOGS/apply.log" | sed "s/^/  | $patch: /" >&2
	fi
	die "$patch of ${SERIES_DIR#"$TOP"/} does not apply to its base"
done
progress ''
labgit -C "$wt" rev-parse HEAD
