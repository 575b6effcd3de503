#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# expected-update.sh KIND [CONSOLE]: write the list of expected tests anew from
# a console of a run that you have read and found right. Never run by a target.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

kind=${1:?release or debug}
console=${2:-$LOGS/console-$kind.txt}
list=$LAB/expected/$kind.list

new=$(awk -f "$LAB/judge.awk" -v kernel="$kind" -v list=/dev/null -v learn=1 "$console") ||
	die "the console holds failures: no list is made from it"
{
	sed -n '/^#/p' "$list"
	printf '%s\n' "$new" | sed -n -e 's/^ok //p' -e 's/^skip \([^:]*\): /\1 skip: /p'
} | replace "$list"
git -C "$TOP" --no-pager diff --stat -- "$list"
