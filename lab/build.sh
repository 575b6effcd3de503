#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# build.sh KIND [FOLDERS]: build the kernel KIND, its modules and the headers that
# the test programs need. FOLDERS are the only ones in which anything has changed
# since it was built: nothing else is looked at, which takes half of the time.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

kind=$1
folders=${2:-}
out=$WORK/$kind

build()
{
	if [ -n "$folders" ]; then
		# make doesn't see that an archive in an archive is new.
		rm -f "$out/vmlinux"
		kernel_make "$out" build-dirs="$folders" bzImage
		return
	fi
	kernel_make "$out" bzImage modules && kernel_make "$out" headers
}

# failed_in: the file that wasn't compiled, and the one in which the compiler found
# the error, a header maybe
failed_in()
{
	local object source path

	object=$(sed -n '/^make.*\*\*\* \[.*: \([^]:]*\.[os]\)\] Error.*/{s//\1/p;q;}' \
		"$LOGS/build-$kind.log")
	if [ -e "$TREE/${object%.o}.S" ]; then
		printf '%s\n' "${object%.o}.S"
	elif [ -n "$object" ]; then
		printf '%s\n' "${object%.[os]}.c"
	fi
	source=$(sed -n -E '/^([^ :]+):[0-9]+(:[0-9]+)?: (fatal )?error: .*/{s//\1/p;q;}' \
		"$LOGS/build-$kind.log")
	# ccache has the compiler see paths relative to the folder it runs in, and
	# the kernel's make those without symbolic links.
	path=$(cd "$out" 2>/dev/null &&
		realpath -e --relative-to="$TREE" -- "$source" 2>/dev/null) || path=$source
	printf '%s' "$path"
}

# blame: whose fault it is that something wasn't built
blame()
{
	local sources touched

	sources=$(failed_in)
	[ -n "$sources" ] || die "the $kind kernel does not build"
	touched=$({
		labgit -C "$TREE" diff --name-only base
		labgit -C "$TREE" ls-files --others --exclude-standard
	} 2>/dev/null | grep -x -F "$sources") || touched=
	[ -z "$touched" ] ||
		die "the $kind kernel does not build: ${touched%%$'\n'*}, which the series touches"
	sources=${sources%%$'\n'*}
	if [ -n "$BASE" ]; then
		die "the $kind kernel does not build: $sources, which the series does not touch; this is the base's fault ($BASE)"
	fi
	die "the $kind kernel does not build: $sources, which the series does not touch"
}

# What is built once needs room for what changed.
if [ -e "$out/arch/x86/boot/bzImage" ]; then
	need_space 524288 "building the $kind kernel again"
else
	need_space 3145728 "building the $kind kernel"
fi
PROGRESS_RE='^  (CC|AS|LD|AR|CC \[M\]|LD \[M\]) '
PROGRESS_OF=$(cat "$out/lab-objects" 2>/dev/null || echo 2600)
export PROGRESS_RE PROGRESS_OF
if ! step "build-$kind.log" "building the $kind kernel" build; then
	grep -q 'No space left' "$LOGS/build-$kind.log" &&
		die "building the $kind kernel found no space left under $BUILD"
	grep -q -E -e 'Killed signal terminated program|unable to execute command: Killed' \
		-e '^make.*\*\*\* \[.*\] (Killed|Error 137)' "$LOGS/build-$kind.log" &&
		die "a compiler or linker was killed, as it is for want of memory; build the $kind kernel with JOBS=N, fewer than $JOBS"
	blame
fi
count=$(grep -c -E "$PROGRESS_RE" "$LOGS/build-$kind.log" || :)
[ "$count" -lt "${PROGRESS_OF:-0}" ] && [ -e "$out/lab-objects" ] ||
	printf '%s\n' "$count" >"$out/lab-objects"
