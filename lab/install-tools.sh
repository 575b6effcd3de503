#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# install-tools.sh [check|bench|matrix]: see which tools the lab, and what else is
# named, misses on this machine. On Debian: install their
# packages in one go, with sudo only for that. Elsewhere, or with BASE=DIR:
# name them, install nothing. A compiler that is there and new is warned of.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# need PROBE DEBIAN FEDORA ARCH: a probe is a command, a header below
# /usr/include, or a library that the compiler can link statically.
need()
{
	local probe=$1

	case $probe in
	*.h)
		[ ! -e "/usr/include/$probe" ] || return 0
		;;
	*.a)
		# What the compiler doesn't find, it prints as it was given.
		case $("$linker" -print-file-name="$probe" 2>/dev/null || :) in
		/*) return 0 ;;
		esac
		;;
	python3:*)
		! /usr/bin/python3 -c "import ${probe#*:}" 2>/dev/null || return 0
		;;
	*)
		! command -v "$probe" >/dev/null || return 0
		;;
	esac
	debian+=("$2")
	fedora+=("$3")
	arch+=("$4")
	probes+=("$probe")
}

debian=() fedora=() arch=() probes=()
# A compiler that is yet to be installed will look where gcc looks.
linker=$(compiler_program)
command -v "$linker" >/dev/null || linker=gcc
PATH=$PATH:/usr/sbin:/sbin

need git	git			git			git
need make	make			make			make
if [ -n "${LLVM:-}" ]; then
	need clang	clang		clang			clang
	need ld.lld	lld		lld			lld
	need llvm-ar	llvm		llvm			llvm
elif [ -z "${CC:-}" ]; then
	need gcc	gcc		gcc			gcc
fi
[ "$(uname -m)" = x86_64 ] ||
	die "this machine is $(uname -m): the lab runs on x86-64 only"
[ -z "${CC:-}" ] || command -v "$(compiler_program)" >/dev/null ||
	die "CC=$CC: this machine has no such compiler"
need gcc	gcc			gcc			gcc
need ld		binutils		binutils		binutils
need libc.a	libc6-dev		glibc-static		glibc
need flex	flex			flex			flex
need bison	bison			bison			bison
need bc		bc			bc			bc
need perl	perl			perl			perl
need xz		xz-utils		xz			xz
need libelf.h	libelf-dev		elfutils-libelf-devel	libelf
need openssl/bio.h libssl-dev		openssl-devel		openssl
need ccache	ccache			ccache			ccache
need busybox	busybox-static		busybox			busybox
need qemu-system-x86_64 qemu-system-x86	qemu-system-x86-core	qemu-system-x86
for job; do
	case $job in
	check)
		need sparse	sparse		sparse		sparse
		need shellcheck	shellcheck	ShellCheck	shellcheck
		need codespell	codespell	codespell	codespell
		need python3:ply python3-ply	python3-ply	python-ply
		;;
	bench)
		need gnuplot	gnuplot-nox	gnuplot		gnuplot
		;;
	matrix)
		case ,${ONLY:-arm64}, in
		*,arm64,*) need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc ;;
		esac
		case ,${ONLY:-ppc64}, in
		*,ppc64,*) need powerpc64le-linux-gnu-gcc gcc-powerpc64le-linux-gnu gcc-powerpc64le-linux-gnu powerpc64le-linux-gnu-gcc ;;
		esac
		;;
	esac
done

# One line for a compiler newer than those that the series was built with
warn_of_compiler()
{
	local compiler major tried

	compiler=$(compiler_program)
	major=$("$compiler" -dumpversion | cut -d. -f1)
	case $("$compiler" --version | head -n 1) in
	*clang*) tried=14 ;;
	*) tried=12 ;;
	esac
	[ "$major" -le "$tried" ] ||
		warn "$compiler $major is newer than $tried, the newest that this was tried with"
}

[ "${#probes[@]}" -gt 0 ] || {
	warn_of_compiler
	exit 0
}

# names LIST...: each once, in order
names()
{
	printf '%s\n' "$@" | awk '!seen[$0]++' | paste -sd' ' -
}

packages=$(names "${debian[@]}")
missing=$(names "${probes[@]}")
[ -z "${LAB_INSTALLED:-}" ] ||
	die "$packages: installed, and $missing still not found; PATH is $PATH"

if [ ! -e "${LAB_DEBIAN_VERSION:-/etc/debian_version}" ] || ! command -v apt-get >/dev/null || [ -n "$BASE" ]; then
	warn "missing here: $missing"
	warn "  Debian: apt-get install $packages"
	warn "  Fedora: dnf install $(names "${fedora[@]}")"
	warn "  Arch:   pacman -S $(names "${arch[@]}")"
	exit 1
fi

say "missing here: $missing"
say "to be installed: $packages"
sudo=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null ||
		die "packages are missing and there is no sudo; as root: apt-get install $packages"
	say "asking sudo for that alone"
	sudo=(sudo)
fi

# The lists may be stale or absent: read them again first, once.
install_all()
{
	"${sudo[@]}" apt-get -q update &&
	"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		--no-install-recommends install "$@"
}

if [ "${#sudo[@]}" -gt 0 ]; then
	sudo -v || die "sudo refuses; as root: apt-get install $packages"
fi
# shellcheck disable=SC2086
step install.log "installing $(wc -w <<<"$packages") packages" \
	install_all $packages ||
	die "the packages could not be installed (no network, or a stale package list?); as root: apt-get update && apt-get install $packages"
LAB_INSTALLED=1 exec "$LAB/install-tools.sh" "$@"
