#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# prepare.sh KIND...: from nothing to kernels that can be booted; does only
# what changed.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_lock
if [ -z "$BASE" ]; then
	"$LAB/get-base.sh"
else
	own_base_is_kernel
	version=$(awk -F' *= *' '/^(VERSION|PATCHLEVEL|SUBLEVEL) /{ v = v sep $2; sep = "." } END { print v }' \
		<(head -n 10 "$BASE/Makefile"))
	say "base: $BASE, Linux $version"
	[ -z "$(labgit -C "$BASE" status --porcelain --untracked-files=no 2>/dev/null | head -n 1)" ] ||
		warn "$BASE has changes that are not committed: they are not built"
	case $version in
	"$SERIES".*) ;;
	*) say "base: the series was made for $SERIES, trying it" ;;
	esac
fi
"$LAB/make-tree.sh"

for kind; do
	"$LAB/configure.sh" "$kind"
	"$LAB/build.sh" "$kind"
	"$LAB/make-initramfs.sh" "$kind"
done
