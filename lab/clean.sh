#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clean.sh [all]: remove kernels, programs and logs; with "all" everything that
# the lab made, unless a tree holds work that isn't exported.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ -d "$BUILD" ] || exit 0
take_lock
stop_on_signals
for WORK in "$BUILD"/*/; do
	WORK=${WORK%/}
	TREE=$WORK/tree
	[ -e "$TREE/.git/lab-state" ] || [ -d "$WORK/log" ] || continue
	if [ "${1:-}" = all ] && [ -e "$TREE/.git" ] && [ ! -e "$TREE/.git/lab-state" ]; then
		die "$TREE is a tree that the lab didn't make; nothing in it is removed. Move it away, or remove it by hand"
	fi
	if [ "${1:-}" = all ] && [ -e "$TREE/.git/lab-state" ]; then
		if own_work || other_work; then
			die "$TREE holds commits, changes or branches that aren't exported; nothing in it is removed. make export, or remove it by hand"
		fi
	fi
	rm -rf "$WORK"/{release,debug,guest,log,check,matrix,baseline,mutants} \
		"$WORK"/{bench{,-memcg,-locks,-results},coverage,later-tests} \
		"$WORK"/later.* "$WORK"/*.tmp "$WORK"/accel*
	# The trees of check and the like were work trees of this one.
	[ ! -e "$TREE/.git/lab-state" ] || labgit -C "$TREE" worktree prune
	[ "${1:-}" != all ] || { remove_tree; rm -rf "$WORK"; }
done
if [ "${1:-}" = all ]; then
	rm -rf "$BUILD"/{apt,base,ccache,later,lock} "$BUILD"/all-checks.*
	rmdir "$BUILD" 2>/dev/null || warn "$BUILD holds files that the lab didn't make; they stay"
fi
