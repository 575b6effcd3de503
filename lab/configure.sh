#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# configure.sh KIND: configure a kernel: the architecture's default, kvm_guest,
# config/common.config (but for the kernels of the benchmark), config/nouveau.config
# where the tree has those tests, config/KIND.config.
# A symbol that the configuration asks for and doesn't get is an error.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

kind=$1
out=$WORK/$kind
case $kind in
bench) fragments=("$LAB/config/bench.config") ;;
bench-*) fragments=("$LAB/config/bench.config" "$LAB/config/$kind.config") ;;
*) mapfile -t fragments < <(common_fragments "$LAB/config/$kind.config") ;;
esac

# inputs: what the result hangs on
inputs()
{
	labgit -C "$TREE" ls-tree -r HEAD | grep Kconfig
	labgit -C "$TREE" ls-tree HEAD arch/x86/configs/ kernel/configs/
	cat "${fragments[@]}"
	target_cc
	"$(compiler_program)" --version
	printf '%s\n' "${LLVM:-}"
}

# config FILE: fill $tmp/.config
generate()
{
	rm -rf "$tmp"
	mkdir -p "$tmp"
	kernel_make "$tmp" x86_64_defconfig kvm_guest.config &&
	(cd "$TREE" && scripts/kconfig/merge_config.sh -m -O "$tmp" \
		"$tmp/.config" "${fragments[@]}") &&
	kernel_make "$tmp" olddefconfig
}

# refused FILE: symbols asked for that the file doesn't have. The last
# fragment that names a symbol decides.
refused()
{
	awk -F= -v config="$1" '
		FILENAME == config {
			if ($0 ~ /^CONFIG_/)
				is[$1] = substr($0, length($1) + 2)
			next
		}
		/^CONFIG_/ { want[$1] = substr($0, length($1) + 2) }
		END {
			for (s in want) {
				have = s in is ? is[s] : "n"
				if (have != want[s])
					print s "=" want[s] ", got " have
			}
		}' "${fragments[@]}" "$1" | sort | less_unknown
}

# less_unknown: the base without the series doesn't know the symbols of its tests
less_unknown()
{
	local line symbol

	if ! at_base; then
		cat
		return
	fi
	while read -r line; do
		symbol=${line%%=*}
		! labgit -C "$TREE" grep -q -E "^(menu)?config ${symbol#CONFIG_}\$" HEAD -- '*Kconfig*' ||
			printf '%s\n' "$line"
	done
}

at_base()
{
	[ "$(labgit -C "$TREE" rev-parse -q --verify HEAD)" = \
	  "$(labgit -C "$TREE" rev-parse -q --verify 'refs/tags/base^{commit}')" ]
}

mkdir -p "$out" "$LOGS"
sum=$(inputs | sha256sum | cut -c1-40)
if [ -e "$out/.config" ] && [ "$(cat "$out/lab-config" 2>/dev/null)" = "$sum" ] &&
   [ -z "$(labgit -C "$TREE" status --porcelain -- '*Kconfig*' | head -n 1)" ]; then
	exit 0
fi
tmp=$WORK/config.tmp
step "config-$kind.log" "configuring the $kind kernel" generate ||
	die "cannot configure the $kind kernel"
bad=$(refused "$tmp/.config")
if [ -n "$bad" ]; then
	printf '%s\n' "$bad" | sed 's/^/  | /' >&2
	die "the $kind kernel's configuration refuses what lab/config asks for"
fi
replace "$out/.config" <"$tmp/.config"
printf '%s\n' "$sum" | replace "$out/lab-config"
rm -rf "$tmp"
