#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "make range-diff": the series in the tree against the one of the last tag of
# this project.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_lock
stop_on_signals
tag=$(labgit -C "$TOP" describe --tags --abbrev=0 2>/dev/null) ||
	die "this project has no tag yet: nothing to compare with"
[ -e "$TREE/.git/lab-state" ] || "$LAB/tree.sh"
old=$WORK/range-diff.tmp
rm -rf "$old"
mkdir -p "$old"
trap 'rm -rf "$old"' EXIT
labgit -C "$TOP" cat-file -e "$tag:series/$SERIES/series" 2>/dev/null ||
	die "the last tag, $tag, has no series/$SERIES: nothing to compare with"
labgit -C "$TOP" archive "$tag" "series/$SERIES" | tar -x -C "$old" --strip-components=2
head=$("$LAB/apply.sh" "$TREE" "$old") || exit 1
labgit -C "$TREE" range-diff "base..$head" base..HEAD
