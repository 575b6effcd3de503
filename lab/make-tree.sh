#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Make the git tree to build: the base as one commit, tagged "base", and the
# series on branch "series". A tree that holds commits or changes which aren't
# in the series' files is left as it stands, and that is said.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

own_base_is_kernel
STATE=$TREE/.git/lab-state
SWITCH=$TREE/.git/lab-switch

# Fixed names and dates make fixed commit ids.
export GIT_AUTHOR_NAME=base GIT_AUTHOR_EMAIL=base GIT_COMMITTER_NAME=base
export GIT_COMMITTER_EMAIL=base
fixed_date='1700000000 +0000'

base_id()
{
	if [ -n "$BASE" ]; then
		if labgit -C "$BASE" rev-parse --git-dir >/dev/null 2>&1 &&
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

# switch_tree: bring the tree to the head that the mark names
switch_tree()
{
	local head sum

	read -r head sum <"$SWITCH"
	labgit -C "$TREE" checkout -q -B series "$head" || die "cannot switch $TREE to the new series"
	write_state "$TREE" "$id" "$sum" "$head"
	rm -f "$SWITCH"
}

# of_switch FILE: is it as the old series has it, or the new one, or not yet
# written to its end? git removes a file before it writes it anew.
of_switch()
(
	[ -e "$TREE/$1" ] || exit 0
	! labgit -C "$TREE" cat-file -e "$old:$1" 2>/dev/null ||
		! labgit -C "$TREE" diff --quiet "$old" -- "$1" || exit 0
	labgit -C "$TREE" cat-file -e "$head:$1" 2>/dev/null || exit 1
	set +o pipefail
	labgit -C "$TREE" show "$head:$1" 2>/dev/null |
		head -c "$(stat -c %s "$TREE/$1")" | cmp -s - "$TREE/$1"
)

mkdir -p "$WORK" "$LOGS"
id=$(base_id)
sum=$(series_sum) || die "series/$SERIES/series names a patch that isn't there"

if [ -e "$SWITCH" ]; then
	# An earlier run was cut short while it switched a tree without own work.
	# Files that are neither of the old series nor of the new one are work.
	rm -f "$TREE"/.git/{index,HEAD,refs/heads/series}.lock
	read -r head _ <"$SWITCH"
	old=$(tree_state head)
	cut="$TREE was being switched to a new series when it was cut short, and"
	case $(labgit -C "$TREE" rev-parse HEAD) in
	"$old" | "$head") ;;
	*) die "$cut it has commits since; put them on a branch of their own, and go back to $old first" ;;
	esac
	{
		labgit -C "$TREE" diff --name-only "$old"
		labgit -C "$TREE" diff --name-only "$old" "$head"
	} | sort -u | while read -r file; do
		of_switch "$file" || die "$cut $file was changed since; put that away first"
	done
	# What the new series adds would be in its own way.
	labgit -C "$TREE" diff -z --no-renames --name-only --diff-filter=A "$old" "$head" |
		(cd "$TREE" && xargs -0 -r rm -f --)
	labgit -C "$TREE" reset -q --hard
	switch_tree
fi
if [ -e "$TREE/.git" ] && [ ! -e "$STATE" ]; then
	say "tree: $TREE, your own, as it stands"
	exit 0
fi
if [ ! -e "$STATE" ] && [ "$TREE" != "$WORK/tree" ]; then
	die "TREE=$TREE is not a git tree"
fi
if [ -e "$STATE" ] && own_work; then
	say "tree: it has commits or changes that aren't exported; building it as it stands ($TREE)"
	[ "$(tree_state series)" = "$sum" ] ||
		say "tree: series/$SERIES has changed meanwhile and is NOT in it; 'make export' or put your work away first"
	exit 0
fi
if [ -e "$STATE" ] && [ "$(tree_state base)" != "$id" ]; then
	if other_work; then
		die "the base is now $id, but $TREE has branches of your own; move them away first"
	fi
	say "tree: the base has changed, making it anew"
	remove_tree
fi
if [ ! -e "$STATE" ]; then
	need_space 3145728 "unpacking the base"
	rm -rf "$TREE"
	step unpack.log "unpacking the base into a git tree" import "$WORK/tree.tmp" ||
		die "cannot unpack the base"
	write_state "$WORK/tree.tmp" "$id" none \
		"$(labgit -C "$WORK/tree.tmp" rev-parse HEAD)"
	mv "$WORK/tree.tmp" "$TREE"
fi
if [ "$(tree_state series)" != "$sum" ]; then
	head=$("$LAB/apply.sh" "$TREE" "$SERIES_DIR") || exit 1
	# From here to the end the tree is neither old nor new: a mark says so.
	printf '%s %s\n' "$head" "$sum" | replace "$SWITCH"
	switch_tree
fi
say "tree: $TREE, $(labgit -C "$TREE" rev-list --count base..HEAD) patches on $(tree_state base)"
