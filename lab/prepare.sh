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

# The newest compilers that the series was built with
compiler=$(compiler_program)
major=$("$compiler" -dumpversion | cut -d. -f1)
case $("$compiler" --version | head -n 1) in
*clang*) tried=14 ;;
*) tried=12 ;;
esac
[ "$major" -le "$tried" ] ||
	warn "$compiler $major is newer than $tried, the newest that this was tried with"

for kind; do
	"$LAB/configure.sh" "$kind"
	"$LAB/build.sh" "$kind"
	"$LAB/make-initramfs.sh" "$kind"
done
