#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "make matrix": the series in the configurations of config/matrix/, for the
# parts of the kernel that it touches; where a configuration says "boot: SUITES",
# its kernel is built whole, booted, and judged by a list of its own.
# ONLY=NAME,... takes some of them.
# Functions are run by way of step.
# shellcheck disable=SC2317

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=lab/side.sh
. "$LAB/side.sh"

export LAB_JOB=matrix
take_lock
stop_on_signals
"$LAB/install-tools.sh" matrix

# setting NAME: what the fragment's head says, "# NAME: VALUE"
setting()
{
	sed -n "s/^# $1: *//p" "$fragment" | head -n 1
}

make_it()
{
	local cross

	cross=$(setting cross)
	if [ -n "$cross" ]; then
		kernel_make "$1" ARCH="$(setting arch)" CROSS_COMPILE="$cross" \
			CC="$LAB/keep-warnings.sh $(ccache_prefix)${cross}gcc" "${@:2}"
	else
		kernel_make "$1" ARCH="$(setting arch | grep . || echo x86_64)" \
			CC="$LAB/keep-warnings.sh $(ccache_prefix)$(target_cc)" "${@:2}"
	fi
}

# what the configuration is merged from, after the architecture's default
fragments_of()
{
	if [ -z "$(setting start)" ]; then
		common_fragments "$LAB/config/release.config"
		[ -n "$(setting boot)" ] ||
			printf '%s\n' "$LAB/config/check.config"
	fi
	printf '%s\n' "$fragment"
}

configure()
{
	local start fragments

	start=$(setting start)
	mapfile -t fragments < <(fragments_of)
	rm -rf "$out.config"
	mkdir -p "$out.config" "$out"
	# shellcheck disable=SC2086
	make_it "$out.config" ${start:-x86_64_defconfig kvm_guest.config} &&
	(cd "$TREE" && scripts/kconfig/merge_config.sh -m -O "$out.config" \
		"$out.config/.config" "${fragments[@]}") &&
	make_it "$out.config" olddefconfig &&
	replace "$out/.config" <"$out.config/.config" &&
	granted
}

# granted: what this fragment asks for is what the configuration has
granted()
{
	awk -F= -v config="$out/.config" '
		FILENAME == config {
			if ($0 ~ /^CONFIG_/)
				is[$1] = substr($0, length($1) + 2)
			next
		}
		/^CONFIG_/ {
			want = substr($0, length($1) + 2)
			have = $1 in is ? is[$1] : "n"
			if (have != want) {
				print $1 "=" want " refused, got " have
				bad = 1
			}
		}
		END { exit bad }' "$out/.config" "$fragment"
}

# The drivers that the series touches, where the configuration has them
drivers()
{
	labgit -C "$REPO" diff --name-only "$base" "$head" -- 'drivers/*.c' |
		while read -r file; do
			case $file in
			*/nouveau/*_test.c) grep -q '^CONFIG_DRM_NOUVEAU_SVM_KUNIT_TEST=' "$out/.config" ;;
			*/nouveau_svm*.c | */nouveau_dmem.c) grep -q '^CONFIG_DRM_NOUVEAU_SVM=' "$out/.config" ;;
			*/nouveau/*) grep -q '^CONFIG_DRM_NOUVEAU=' "$out/.config" ;;
			*/i915/*) grep -q '^CONFIG_DRM_I915=' "$out/.config" ;;
			*/sgi-gru/*) grep -q '^CONFIG_SGI_GRU=' "$out/.config" ;;
			*) true ;;
			esac || continue
			has_object "$file" || continue
			printf '%s\n' "${file%.c}.o"
		done
}

compile()
{
	configure || return 1
	if [ -n "$(setting boot)" ]; then
		make_it "$out" bzImage modules && make_it "$out" headers
	else
		# shellcheck disable=SC2046
		make_it "$out" mm/ fs/proc/ lib/ $(setting objects) $(drivers)
	fi
}

# New warnings, in a file that the series touches
new_warnings()
{
	object_warnings "$out" | count_warnings |
		awk 'FNR == NR { touched[$0 ":"] = 1; next } $2 in touched' \
		<(labgit -C "$REPO" diff --name-only "$base" "$head") -
}

# id: what the result hangs on
id()
{
	{
		tree_of "$head"
		fragments_of | xargs cat
		compiler_id
		[ -z "$(setting cross)" ] || "$(setting cross)gcc" --version
	} | sum_of
}

build_one()
{
	local kept

	kept=$KEPT/$name-$(id)
	if [ ! -e "$kept" ]; then
		side_tree "$head"
		if ! PROGRESS_RE='^  (CC|AS|LD|AR) ' PROGRESS_OF='' \
			step "build-$name.log" "building $name" compile; then
			verdict 'not ok' "matrix/$name" "it does not build" \
				< <(grep -E 'error|refused|\*\*\*' "$LOGS/build-$name.log")
			return 1
		fi
		new_warnings | replace "$kept"
	fi
	verdict_by "matrix/$name" "it warns:" "$kept"
}

# The console is kept by kernel and test programs; it is judged anew each time.
boot_one()
{
	local console rc=0

	# The kernel must be that of this tree, which the kept result of its
	# build doesn't promise.
	side_tree "$head"
	PROGRESS_RE='^  (CC|AS|LD|AR) ' PROGRESS_OF='' \
		step "build-$name.log" "building $name" compile || rc=1
	[ "$rc" -ne 0 ] || "$LAB/make-initramfs.sh" "$name" || rc=1
	if [ "$rc" -ne 0 ]; then
		verdict 'not ok' "$name/boot.prepare" "see above" </dev/null
		return
	fi
	console=$KEPT/$name-$(cat "$out/arch/x86/boot/bzImage" "$out/initramfs" | sum_of).console
	if [ ! -e "$console" ] &&
	   ! "$LAB/boot.sh" "$name" "$(setting boot)" "$console"; then
		verdict 'not ok' "$name/boot" "see above" </dev/null
		return
	fi
	cp "$console" "$LOGS/console-$name.txt"
	# The judge's exit status is told by its lines.
	{ awk -f "$LAB/judge.awk" -v kernel="$name" \
		-v list="$(expected_list "$name")" "$console" || :; } |
		tee -a "$RESULTS" || unrecorded "$RESULTS"
}

side_prepare
side_enter matrix
for fragment in "$LAB"/config/matrix/*.config; do
	name=${fragment##*/}
	name=${name%.config}
	out=$WORK/$name
	case ,${ONLY:-$name}, in
	*,"$name",*) ;;
	*) continue ;;
	esac
	build_one || continue
	[ -z "$(setting boot)" ] || boot_one
done
side_conclude
