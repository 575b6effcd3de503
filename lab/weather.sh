#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The lab's own tests, second part: bad weather, staged. Each case must give
# its one line and exit status, and leave nothing that a next run would trust.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
unset LAB_LOCKED LLVM CC FIRST FROM TREE
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a
exec 9>&-
# Whoever runs it has a git configuration that is in the way, and a shell that was
# set up for another kernel.
export HOME=$box/home ARCH=arm64 CROSS_COMPILE=none- CDPATH=/nonexistent:$box
mkdir -p "$HOME"
cat >"$HOME/.gitconfig" <<-"EOF"
	[commit]
		gpgSign = true
	[tag]
		gpgSign = true
	[gpg]
		program = false
	[am]
		threeWay = true
	[diff]
		noprefix = true
		external = false
	[format]
		attach = yes
		coverLetter = true
	[core]
		autocrlf = true
		editor = false
	[color]
		ui = always
EOF
# The machine that the stubs stand for, whatever this one is
printf 'VERSION_CODENAME=bookworm\n' >"$box/os-release"
export LAB_OS_RELEASE=$box/os-release LAB_DEBIAN_VERSION=$box/os-release
stubs=$LAB/selftest/stub
failed=0

# attempt STATUS COMMAND...: the output goes to $box/out; wrong status is noted
attempt()
{
	local want=$1 rc=0

	shift
	"$@" >"$box/out" 2>&1 </dev/null || rc=$?
	trouble=
	[ "$rc" -eq "$want" ] || trouble="exit status $rc, not $want"
}

# says TEXT: the output has a line with it
says()
{
	grep -q -F -e "$1" "$box/out" || trouble="$trouble; it does not say: $1"
}

silent_about()
{
	! grep -q -F -e "$1" "$box/out" || trouble="$trouble; it says: $1"
}

absent()
{
	[ ! -e "$1" ] || trouble="$trouble; left behind: ${1#"$box"/}"
}

present()
{
	[ -e "$1" ] || trouble="$trouble; not there: ${1#"$box"/}"
}

verdict()
{
	if [ -z "$trouble" ]; then
		say "ok lab/weather.$1"
	else
		say "not ok lab/weather.$1"
		say "  # ${trouble#; }"
		sed 's/^/  # /' "$box/out"
		failed=1
	fi
}

# a lab of its own in the box: the scripts, a series, a build folder
new_lab()
{
	rm -rf "$box/top"
	mkdir -p "$box/top/series/5.10" "$box/top/lab"
	cp -r "$LAB"/*.sh "$LAB/git" "$box/top/lab"
	cat >"$box/top/series/5.10/BASE" <<-EOF
		package linux-source-5.10
		release bullseye
		version 5.10.262-1
		sha256 $(printf 'package\n' | sha256sum | cut -d' ' -f1)
		file usr/src/linux-source-5.10.tar.xz
	EOF
	: >"$box/top/series/5.10/series"
	build=$box/top/build
	work=$build/5.10
}

# shellcheck disable=SC2317 # called through attempt
lab()
{
	local script=$1

	shift
	env BUILD="$build" BASE="${base:-}" SERIES=5.10 CI=true \
		"$box/top/lab/$script" "$@"
}

# a kernel tree, as far as the lab looks at it
new_base()
{
	rm -rf "$box/kernel"
	mkdir -p "$box/kernel/mm"
	printf 'VERSION = 5\nPATCHLEVEL = 10\nSUBLEVEL = 262\n' >"$box/kernel/Makefile"
	seq 1 20 >"$box/kernel/mm/rmap.c"
	base=$box/kernel
}

# a series of one patch that turns line $1 of mm/rmap.c into "$2"
new_patch()
{
	local dir=$box/patch

	rm -rf "$dir"
	mkdir -p "$dir/mm"
	seq 1 20 >"$dir/mm/rmap.c"
	[ -z "${3:-}" ] || sed -i "s/^.*$/other &/" "$dir/mm/rmap.c"
	rm -f "$box"/top/series/5.10/*.patch
	labgit init -q "$dir"
	labgit -C "$dir" add -A
	labgit -C "$dir" commit -q -m base
	sed -i "${1}s/.*/$2/" "$dir/mm/rmap.c"
	labgit -C "$dir" commit -q -a -m "mm/rmap: change line $1"
	labgit -C "$dir" format-patch -q -o "$box/top/series/5.10" -1
	(cd "$box/top/series/5.10" && printf '%s\n' 0001-*.patch >series)
}

# ---- fetching the base ----

fetch()
{
	base=
	rm -rf "$build"
	attempt "$2" env PATH="$stubs:$PATH" STUB_APT="$1" BUILD="$build" \
		SERIES=5.10 BASE= CI=true "$box/top/lab/get-base.sh"
	absent "$build/base/part/linux-source-5.10_5.10.262-1_all.deb"
}

new_lab
fetch no-network 1
says "cannot reach this machine's package archive (no network?)"
says "BASE=DIR"
absent "$work/base"
verdict no-network

fetch no-lists 1
says "no package archive of this machine's own release can be read"
absent "$work/base"
verdict no-package-lists

fetch moved 1
says "have expired or moved"
says "BASE=DIR"
absent "$work/base"
verdict archive-moved

fetch expired 1
says "have expired or moved"
says "BASE=DIR"
verdict lists-expired

fetch gone 3
says "has no linux-source-5.10 in release bullseye any more"
absent "$work/base"
verdict package-gone

base=
attempt 0 env PATH="$stubs:$PATH" STUB_APT=gone BUILD="$build" BASE= SERIES=5.10 \
	CI=true ONLY=allnoconfig "$box/top/lab/matrix.sh"
says "go on with a kernel tree of your own: make matrix BASE=DIR"
says "skip series-5.10/all: the base is no longer in the archive"
says "0 passed, 0 failed, 1 skipped"
verdict package-gone-skips

fetch failing 1
says "failed or was cut"
absent "$build/base/5.10.262-1.deb"
absent "$work/base"
verdict download-fails

fetch truncated 1
says "not what the archive's signed list says"
absent "$build/base/5.10.262-1.deb"
absent "$work/base"
verdict download-truncated

fetch newer 0
says "5.10.270-1, signed by the archive, but the series was made for 5.10.262-1: trying it"
present "$build/base/5.10.270-1.deb"
verdict newer-base

sed -i 's/^sha256 .*/sha256 0/' "$box/top/series/5.10/BASE"
fetch good 1
says "not the file that series/5.10/BASE names"
absent "$build/base/5.10.262-1.deb"
verdict wrong-checksum

new_lab
fetch good 0
says "verified (SHA-256)"
grep -q nodistro "$build/apt/sources.list" && trouble="$trouble; a foreign archive is used"
printf 'damage' >>"$build/base/5.10.262-1.deb"
attempt 0 env PATH="$stubs:$PATH" STUB_APT=good BUILD="$build" SERIES=5.10 \
	BASE= CI=true "$box/top/lab/get-base.sh"
says "is damaged; it is fetched again"
verdict stored-base-damaged

# A series that was moved to a newer base doesn't go on with the old one.
sed -i 's/^version .*/version 5.10.270-1/' "$box/top/series/5.10/BASE"
attempt 0 env PATH="$stubs:$PATH" STUB_APT=newer BUILD="$build" SERIES=5.10 \
	BASE= CI=true "$box/top/lab/get-base.sh"
says "5.10.270-1, verified (SHA-256)"
verdict series-of-newer-base

# ---- tools ----

# a PATH on which chosen commands are missing
path_without()
{
	local dir=$box/path name

	if [ ! -e "$box/path.all" ]; then
		mkdir "$box/path.all"
		find /bin/ /usr/bin/ /sbin/ /usr/sbin/ -maxdepth 1 ! -type d -print0 |
			xargs -0 ln -sf -t "$box/path.all"
	fi
	rm -rf "$dir"
	cp -a "$box/path.all" "$dir"
	for name; do
		rm -f "$dir/$name"
	done
	printf '%s' "$dir"
}

path=$(path_without sudo flex)
printf '#!/bin/sh\necho 1000\n' >"$box/id"
chmod +x "$box/id"
rm -f "$path/id"
ln -s "$box/id" "$path/id"
ln -sf "$stubs/apt-get" "$path/apt-get"
attempt 1 env PATH="$path" STUB_APT=good BUILD="$build" BASE= SERIES=5.10 \
	CI=true NO_SBIN=1 "$box/top/lab/install-tools.sh"
says "there is no sudo; as root: apt-get install flex"
verdict no-sudo

path=$(path_without flex)
ln -sf "$stubs/apt-get" "$path/apt-get"
printf '#!/bin/sh\necho 0\n' >"$box/id"
ln -sf "$box/id" "$path/id"
attempt 1 env PATH="$path" STUB_APT=no-network BUILD="$build" BASE= SERIES=5.10 \
	CI=true "$box/top/lab/install-tools.sh"
says "to be installed: flex"
says "could not be installed"
verdict install-fails

# What is installed where the PATH doesn't lead isn't asked for again and again.
attempt 1 env PATH="$path" STUB_APT=good BUILD="$build" BASE= SERIES=5.10 \
	CI=true "$box/top/lab/install-tools.sh"
says "flex: installed, and flex still not found; PATH is"
verdict installed-and-not-found

new_base
attempt 1 env PATH="$path" BUILD="$build" BASE="$base" SERIES=5.10 CI=true \
	"$box/top/lab/install-tools.sh"
says "Debian: apt-get install flex"
says "Fedora: dnf install flex"
says "Arch:   pacman -S flex"
silent_about "to be installed"
verdict tools-named-with-own-base

attempt 1 env PATH="$path" BUILD="$build" BASE="$base" SERIES=5.10 CI=true \
	CC=no-such-cc "$box/top/lab/install-tools.sh"
says "CC=no-such-cc: this machine has no such compiler"
verdict no-such-compiler

cat >"$box/new-cc" <<-"EOF"
	#!/bin/sh
	case $1 in
	-dumpversion | --version) echo 99.1.0 ;;
	*) exec gcc "$@" ;;
	esac
EOF
chmod +x "$box/new-cc"
attempt 0 env BUILD="$build" BASE="$base" SERIES=5.10 CI=true CC="$box/new-cc" \
	LLVM= "$box/top/lab/install-tools.sh"
says "new-cc 99 is newer than 12, the newest that this was tried with"
[ "$(wc -l <"$box/out")" -eq 1 ] || trouble="$trouble; more than one line"
verdict newer-compiler

rm "$base/mm/rmap.c"
attempt 1 lab make-tree.sh
says "is not a kernel tree"
absent "$build"/5.10-own-*
verdict base-is-no-kernel

attempt 1 env BUILD="$box/a b" BASE= SERIES=5.10 "$box/top/lab/get-base.sh"
says "a kernel builds in no such folder"
absent "$box/a b"
verdict blank-in-folder
base=

# ---- the tree and the series ----

new_lab
new_base
new_patch 10 ten
attempt 0 lab make-tree.sh
says "1 patches on folder"
[ "$(sed -n 10p "$build"/5.10-own-*/tree/mm/rmap.c)" = ten ] ||
	trouble="$trouble; the patch is not in the tree"
[ "$(cd "$base" && find . -type f | sort | xargs)" = "./Makefile ./mm/rmap.c" ] ||
	trouble="$trouble; BASE was written to"
verdict own-base

tree=$(echo "$build"/5.10-own-*/tree)
before=$(labgit -C "$tree" rev-parse HEAD)
new_patch 10 ten different
attempt 1 lab make-tree.sh
says "0001-mm-rmap-change-line-10.patch: the hunk at mm/rmap.c:7"
says "0001-mm-rmap-change-line-10.patch of series/5.10 does not apply to its base"
[ "$(labgit -C "$tree" rev-parse HEAD)" = "$before" ] ||
	trouble="$trouble; the tree has moved"
[ -z "$(labgit -C "$tree" status --porcelain)" ] || trouble="$trouble; the tree is not clean"
verdict series-does-not-apply

new_patch 12 twelve
attempt 0 lab make-tree.sh
[ "$(sed -n 12p "$tree/mm/rmap.c")" = twelve ] || trouble="$trouble; the new patch is not in the tree"
[ "$(sed -n 10p "$tree/mm/rmap.c")" = 10 ] || trouble="$trouble; the old patch is still in the tree"
verdict series-changed

# What a switch to a new series leaves when it is killed: the mark, a file that
# the series adds, another not written to its end, and the old index. A head for
# it is made beside the tree.
old=$(labgit -C "$tree" rev-parse HEAD)
echo added >"$tree/mm/new.c"
seq 1 100 >"$tree/mm/rmap.c"
labgit -C "$tree" add -A
labgit -C "$tree" commit -q -m "mm: a new file"
new=$(labgit -C "$tree" rev-parse HEAD)
cut_switch()
{
	labgit -C "$tree" reset -q --hard "$old"
	printf '%s %s\n' "$new" "$(sed -n 's/^series //p' "$tree/.git/lab-state")" \
		>"$tree/.git/lab-switch"
	echo added >"$tree/mm/new.c"
	seq 1 3 >"$tree/mm/rmap.c"
}
cut_switch
attempt 0 lab make-tree.sh
[ "$(labgit -C "$tree" rev-parse HEAD)" = "$new" ] || trouble="$trouble; it is not at the new series"
[ -z "$(labgit -C "$tree" status --porcelain)" ] || trouble="$trouble; the tree is not clean"
labgit -C "$tree" reset -q --hard "$old"
sed -i "s/^head .*/head $old/" "$tree/.git/lab-state"
verdict switch-cut-short

cut_switch
echo work >>"$tree/mm/new.c"
attempt 1 lab make-tree.sh
says "mm/new.c was changed since; put that away first"
[ "$(tail -n 1 "$tree/mm/new.c")" = work ] || trouble="$trouble; the change is lost"
rm "$tree/mm/new.c" "$tree/.git/lab-switch"
labgit -C "$tree" reset -q --hard "$old"
verdict switch-cut-short-keeps-changes

echo work >>"$tree/mm/rmap.c"
new_patch 14 fourteen
attempt 0 lab make-tree.sh
says "building it as it stands"
says "has changed meanwhile and is NOT in it"
[ "$(tail -n 1 "$tree/mm/rmap.c")" = work ] || trouble="$trouble; the change is lost"
verdict changes-are-kept

attempt 1 lab clean.sh all
says "aren't exported; nothing in it is removed"
[ "$(tail -n 1 "$tree/mm/rmap.c")" = work ] || trouble="$trouble; the change is lost"
verdict distclean-keeps-changes

labgit -C "$tree" commit -q -a -m "mm/rmap: work"
head=$(labgit -C "$tree" rev-parse HEAD)
attempt 0 lab make-tree.sh
says "building it as it stands"
[ "$(labgit -C "$tree" rev-parse HEAD)" = "$head" ] || trouble="$trouble; the commit is lost"
verdict commits-are-kept

attempt 1 lab clean.sh all
says "aren't exported"
verdict distclean-keeps-commits

mkdir "$tree/.git/rebase-merge"
attempt 1 lab export.sh
says "is under way in $tree"
rmdir "$tree/.git/rebase-merge"
verdict export-waits-for-a-rebase

attempt 0 lab export.sh
says "2 patches in series/5.10"
first=$(cd "$box/top/series/5.10" && sha256sum -- *)
attempt 0 lab export.sh
says "2 patches in series/5.10, 0 files changed"
[ "$(cd "$box/top/series/5.10" && sha256sum -- *)" = "$first" ] ||
	trouble="$trouble; the second export changed files"
rm -rf "$tree"
attempt 0 lab make-tree.sh
attempt 0 lab export.sh
says "0 files changed"
verdict export-twice-changes-nothing

cp "$tree/.git/index" "$box/index"
echo damage >"$tree/.git/index"
attempt 1 lab clean.sh all
says "aren't exported; nothing in it is removed"
present "$tree/mm/rmap.c"
cp "$box/index" "$tree/.git/index"
verdict distclean-keeps-what-git-cannot-read

mv "$tree/.git/lab-state" "$box/lab-state"
attempt 1 lab clean.sh all
says "is a tree that the lab didn't make; nothing in it is removed"
present "$tree/mm/rmap.c"
mv "$box/lab-state" "$tree/.git/lab-state"
verdict distclean-keeps-a-tree-that-is-not-its-own

attempt 0 lab clean.sh all
absent "$tree"
absent "$build"
verdict distclean-removes-all

# ---- whose fault it is that a kernel doesn't build ----

new_lab
new_base
new_patch 10 ten
: >"$base/mm/other.c"
attempt 0 lab make-tree.sh
tree=$(echo "$build"/5.10-own-*/tree)
mkdir -p "${tree%/tree}/release"
path=$(path_without make)
printf '#!/bin/sh\ncat "%s"\nexit 2\n' "$box/make.log" >"$box/make"
chmod +x "$box/make"
ln -s "$box/make" "$path/make"

# does_not_build FILE OBJECT [ERROR]: the compiler found the error in FILE
does_not_build()
{
	cat >"$box/make.log" <<-EOF
		In file included from ../tree/${2%.o}.c:1:
		$1:10:1: error: expected identifier before 'ten'
		make[2]: *** [scripts/Makefile.build:286: $2] ${3:-Error 1}
		make: *** [Makefile:192: __sub-make] Error 2
	EOF
	attempt 1 env PATH="$path" BUILD="$build" BASE="$base" SERIES=5.10 CI=true \
		"$box/top/lab/build.sh" release
}

# With ccache, and without
does_not_build ../tree/mm/rmap.c mm/other.o
says "does not build: mm/rmap.c, which the series touches"
[ -n "$trouble" ] || does_not_build "$tree/mm/rmap.c" mm/other.o
says "does not build: mm/rmap.c, which the series touches"
verdict series-does-not-build

does_not_build ../tree/mm/other.c mm/other.o
says "mm/other.c, which the series does not touch; this is the base's fault"
verdict base-does-not-build

does_not_build ../tree/mm/other.c mm/other.o "Killed"
says "for want of memory; build the release kernel with JOBS=N"
verdict compiler-killed
base=

# ---- cut short, twice at once, disk full ----

# Ctrl-C while the base is being unpacked: tar never comes back
new_lab
new_base
path=$(path_without tar qemu-system-x86_64)
printf '#!/bin/sh\n: >"%s"\nexec sleep 60\n' "$box/unpacking" >"$box/tar"
chmod +x "$box/tar"
ln -s "$box/tar" "$path/tar"
ln -s "$stubs/qemu-system-x86_64" "$path/qemu-system-x86_64"
rm -f "$box/unpacking"
set -m
env PATH="$path" BUILD="$build" BASE="$base" SERIES=5.10 CI=true \
	"$box/top/lab/run.sh" >"$box/out" 2>&1 </dev/null &
pid=$!
set +m
for _ in $(seq 100); do
	[ ! -e "$box/unpacking" ] || break
	sleep 0.1
done
kill -INT -- "-$pid"
rc=0
wait "$pid" || rc=$?
trouble=
[ "$rc" -eq 130 ] || trouble="exit status $rc, not 130"
present "$box/unpacking"
says "interrupted; nothing half-made is kept"
absent "$(echo "$build"/5.10-own-*/tree)"
attempt 0 lab make-tree.sh
says "0 patches on folder"
verdict ctrl-c

attempt 1 flock "$build/lock" env BUILD="$build" BASE="$base" SERIES=5.10 CI=true \
	"$box/top/lab/run.sh"
says "another run is at work in $build"
verdict two-runs

if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	new_lab
	seq 1 400000 >"$base/mm/rmap.c"
	mkdir -p "$build"
	# df is asked for the free space first; there it lies, once
	cat >"$box/df" <<-EOF
		#!/bin/sh
		[ ! -e "$box/df.lied" ] || exec $(command -v df) "\$@"
		: >"$box/df.lied"
		echo head
		echo disk 1 1 99999999 1 /
	EOF
	chmod +x "$box/df"
	path=$(path_without df)
	ln -s "$box/df" "$path/df"
	# shellcheck disable=SC2016
	attempt 1 unshare -m sh -c 'mount -t tmpfs -o size=1M tmpfs "$1" && shift && exec "$@"' \
		sh "$build" env PATH="$path" BUILD="$build" BASE="$base" SERIES=5.10 \
		CI=true "$box/top/lab/make-tree.sh"
	says "the disk that holds $build is full; cannot unpack the base"
	verdict disk-full
	# shellcheck disable=SC2016
	attempt 1 unshare -m sh -c 'mount -t tmpfs -o size=1M tmpfs "$1" && shift && exec "$@"' \
		sh "$build" env BUILD="$build" BASE="$base" SERIES=5.10 CI=true \
		"$box/top/lab/make-tree.sh"
	says "too little disk: unpacking the base needs 3 GB"
	verdict disk-small
else
	say "skip lab/weather.disk-full: only root can mount a small disk"
	say "skip lab/weather.disk-small: only root can mount a small disk"
fi
base=

# ---- the guest ----

new_lab
boot()
{
	attempt "$2" env PATH="$stubs:$PATH" STUB_QEMU="$1" BUILD="$build" BASE= \
		SERIES=5.10 CI=true LAB_KVM="${kvm:-/nonexistent}" LAB_QUIET_LIMIT=2 \
		LAB_MEMINFO="${meminfo:-/proc/meminfo}" \
		"$box/top/lab/boot.sh" release hmm "$box/console"
}

boot good 0
says "no KVM on this machine, emulating (TCG)"
grep -q 'LAB boot stub tcg' "$box/console" || trouble="$trouble; not with TCG"
grep -q '^HOST end$' "$box/console" || trouble="$trouble; no end on record"
verdict no-kvm

kvm=$box/kvm
: >"$kvm"
boot kvm-broken 0
says "KVM is there, but no guest comes up with it"
grep -q 'LAB boot stub tcg' "$box/console" || trouble="$trouble; not with TCG"
verdict kvm-broken

boot good 0
grep -q 'LAB boot stub kvm' "$box/console" || trouble="$trouble; KVM was not used"
verdict kvm-good

LAB_SHELL=1 boot good 0
says "LAB boot stub kvm"
silent_about "emulating"
silent_about "LAB done"
verdict kvm-good-for-a-shell
kvm=

boot hang 0
grep -q '^HOST hang 2$' "$box/console" || trouble="$trouble; the hang is not on record"
verdict guest-hangs

boot failing 1
says "QEMU failed"
says "cannot set up guest memory"
absent "$box/console"
verdict qemu-fails

printf 'MemAvailable:    1000000 kB\n' >"$box/meminfo"
meminfo=$box/meminfo
boot good 1
says "too little memory: the guest takes 3072 MB and 976 MB are free"
absent "$box/console"
verdict too-little-memory
meminfo=

mkdir -p "$box/cgroup"
printf '2147483648\n' >"$box/cgroup/memory.max"
printf '1073741824\n' >"$box/cgroup/memory.current"
printf 'anon 1\ninactive_file 536870912\n' >"$box/cgroup/memory.stat"
LAB_CGROUP=$box/cgroup boot good 1
says "too little memory: the guest takes 3072 MB and 1536 MB are free"
absent "$box/console"
verdict too-little-memory-in-a-container

boot killed 1
says "QEMU was killed, as it is for want of memory"
absent "$box/console"
verdict qemu-killed

attempt 1 env PATH="$(path_without qemu-system-x86_64)" BUILD="$build" BASE= SERIES=5.10 \
	CI=true "$box/top/lab/boot.sh" release hmm "$box/console"
says "qemu-system-x86_64 is missing; Debian: qemu-system-x86"
verdict no-qemu

exit "$failed"
