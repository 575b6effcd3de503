#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "make all-checks": test, check, matrix, baseline and mutants, one after the
# other; commit, date, minutes and closing lines go into docs/results.md,
# between its two marks.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

stop_on_signals
results=$TOP/docs/results.md
begin='<!-- results: begin -->'
end='<!-- results: end -->'
rows=$BUILD/all-checks.rows
failed=0

[ "$(grep -c -x -F -e "$begin" -e "$end" "$results")" = 2 ] ||
	die "docs/results.md has no place for the last full run"
run_one()
{
	"$LAB/$1.sh" | tee "$BUILD/all-checks.$1"
}

commit=$(git -C "$TOP" rev-parse --short=12 HEAD 2>/dev/null) || commit='no commit'
[ -z "$(git -C "$TOP" status --porcelain --untracked-files=no 2>/dev/null)" ] ||
	commit="$commit, with changes"
mkdir -p "$BUILD"
: >"$rows"
start=$SECONDS
for what in test check matrix baseline mutants; do
	one=$SECONDS
	rc=0
	supervise run_one "$what" || rc=$?
	closing=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' \
		"$BUILD/all-checks.$what" | tail -n 1)
	if [ "$rc" -ne 0 ] || [ -z "$closing" ]; then
		failed=$((failed + 1))
		closing=${closing:-it did not come to its end}
	fi
	printf '| make %s | %s | %s |\n' "$what" "$(((SECONDS - one + 59) / 60))" \
		"$closing" >>"$rows"
done
{
	sed "/^$begin\$/q" "$results"
	printf '\nCommit %s, %s, %s minutes on %s processors, %s.\n\n' "$commit" \
		"$(date -u '+%Y-%m-%d')" "$(((SECONDS - start + 59) / 60))" \
		"$(nproc)" "$(uname -m)"
	printf '| command | minutes | result |\n| --- | --- | --- |\n'
	cat "$rows"
	printf '\n'
	sed -n "/^$end\$/,\$p" "$results"
} | replace "$results"
say ''
cat "$rows"
[ "$failed" -eq 0 ] || exit 1
