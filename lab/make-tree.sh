#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Make the git tree to build: the base as one commit, tagged "base", and the
# series on branch "series". A tree that holds commits or changes which aren't
# in the series' files is left as it stands, and that is said.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

STATE=$TREE/.git/lab-state

# Fixed names and dates make fixed commit ids.
export GIT_AUTHOR_NAME=base GIT_AUTHOR_EMAIL=base GIT_COMMITTER_NAME=base
export GIT_COMMITTER_EMAIL=base
fixed_date='1700000000 +0000'

base_id()
{
	if [ -n "$BASE" ]; then
		if git -C "$BASE" rev-parse --git-dir >/dev/null 2>&1 &&
		   [ "$(labgit -C "$BASE" rev-parse --show-prefix)" = '' ]; then
			printf 'commit %s' "$(labgit -C "$BASE" rev-parse HEAD)"
		else
			# The newest file tells one state from another.
			printf 'folder %s' "$(find "$BASE" -name .git -prune -o \
				-type f -printf '%T@ %s %P\n' | sort | sha256sum | cut -c1-40)"
		fi
	else
		awk '$1 == "version" { print $2 }' "$WORK/base"
	fi
}

# unpack DIR: the base's files
unpack()
{
	local file

	if [ -z "$BASE" ]; then
		file=$(awk '$1 == "file" { print $2 }' "$WORK/base")
		dpkg-deb --fsys-tarfile "$file" |
			tar -xO --wildcards "*$(base_field file)" |
			tar -xJ -C "$1" --strip-components=1
	elif [ "${id%% *}" = commit ]; then
		labgit -C "$BASE" archive HEAD | tar -x -C "$1"
	else
		tar -C "$BASE" -c --exclude=./.git --exclude='*.o' --exclude='*.ko' \
			--exclude='*.cmd' --exclude=./.config \
			--exclude=./include/config --exclude=./include/generated \
			--exclude='./arch/*/include/generated' . | tar -x -C "$1"
	fi
}

import()
{
	local tmp=$1

	rm -rf "$tmp" && mkdir -p "$tmp" && unpack "$tmp" &&
	[ -e "$tmp/mm/rmap.c" ] &&
	labgit init -q -b series "$tmp" &&
	labgit -C "$tmp" config gc.auto 0 &&
	# One pack, written as it comes, is several times faster than a file each.
	labgit -C "$tmp" -c core.bigFileThreshold=1 -c core.compression=1 \
		add -f -A &&
	GIT_AUTHOR_DATE=$fixed_date GIT_COMMITTER_DATE=$fixed_date \
		labgit -C "$tmp" commit -q -m "base: ${id#* }" &&
	labgit -C "$tmp" tag base
}

series_sum()
{
	local patch

	for patch in $(series_patches); do
		cat "$SERIES_DIR/$patch" || return 1
	done | sha256sum | cut -c1-40
}

# Apply the series beside the tree, in a work tree that has only the files it
# touches; print the new head.
apply_series()
{
	local tree=$1 wt=$WORK/apply.tmp patch

	rm -rf "$wt"
	labgit -C "$tree" worktree prune
	labgit -C "$tree" worktree add -q --no-checkout --detach "$wt" base >&2
	labgit -C "$wt" sparse-checkout init >&2
	for patch in $(series_patches); do
		sed -n -e 's,^--- a/,/,p' -e 's,^+++ b/,/,p' \
			-e 's,^rename from ,/,p' "$SERIES_DIR/$patch"
	done | sed 's/[[:space:]]*$//' | sort -u |
		labgit -C "$wt" sparse-checkout set --stdin >&2
	labgit -C "$wt" read-tree -mu HEAD >&2
	for patch in $(series_patches); do
		if ! GIT_COMMITTER_NAME=lab GIT_COMMITTER_EMAIL=lab \
		     labgit -C "$wt" am -q --committer-date-is-author-date \
			"$SERIES_DIR/$patch" >"$LOGS/apply.log" 2>&1 </dev/null; then
			sed -n 's/^error: patch failed: /at /p' "$LOGS/apply.log" |
				sed "s|^|  \| $patch, hunk |" >&2
			grep -q '^error: patch failed' "$LOGS/apply.log" ||
				tail -n 5 "$LOGS/apply.log" | sed 's/^/  | /' >&2
			labgit -C "$wt" am --abort >/dev/null 2>&1 || :
			drop_worktree "$tree" "$wt"
			return 1
		fi
	done
	labgit -C "$wt" rev-parse HEAD
	drop_worktree "$tree" "$wt"
}

drop_worktree()
{
	rm -rf "$2"
	labgit -C "$1" worktree prune
}

state()
{
	awk -v name="$1" '$1 == name { $1 = ""; sub(/^ /, ""); print; exit }' \
		"$STATE" 2>/dev/null || :
}

write_state()
{
	printf 'base %s\nseries %s\nhead %s\n' "$id" "$sum" "$2" |
		replace "$1/.git/lab-state"
}

own_work()
{
	[ "$(labgit -C "$TREE" rev-parse HEAD)" != "$(state head)" ] ||
		[ -n "$(labgit -C "$TREE" status --porcelain --untracked-files=normal | head -n 1)" ]
}

mkdir -p "$WORK" "$LOGS"
id=$(base_id)
sum=$(series_sum) || die "series/$SERIES/series names a patch that isn't there"

if [ -e "$TREE/.git" ] && [ ! -e "$STATE" ]; then
	say "tree: $TREE, your own, as it stands"
	exit 0
fi
if [ -e "$STATE" ] && own_work; then
	say "tree: it has commits or changes that aren't exported; building it as it stands ($TREE)"
	[ "$(state series)" = "$sum" ] ||
		say "tree: series/$SERIES has changed meanwhile and is NOT in it; 'make export' or put your work away first"
	exit 0
fi

if [ -e "$STATE" ] && [ "$(state base)" != "$id" ]; then
	say "tree: the base has changed; making it anew"
	rm -rf "$TREE"
fi
if [ ! -e "$STATE" ]; then
	need_space 3145728 "unpacking the base"
	rm -rf "$TREE"
	step unpack.log "unpacking the base into a git tree" import "$WORK/tree.tmp" ||
		die "cannot unpack the base"
	head=$(apply_series "$WORK/tree.tmp") || die "series/$SERIES does not apply to its base"
	labgit -C "$WORK/tree.tmp" reset -q --hard "$head"
	write_state "$WORK/tree.tmp" "$head"
	mv "$WORK/tree.tmp" "$TREE"
elif [ "$(state series)" != "$sum" ]; then
	head=$(apply_series "$TREE") || die "series/$SERIES does not apply to its base"
	labgit -C "$TREE" checkout -q -B series "$head"
	write_state "$TREE" "$head"
fi
say "tree: $TREE, $(labgit -C "$TREE" rev-list --count base..HEAD) patches on $(state base)"
