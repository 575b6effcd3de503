#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "make export": write the commits of the tree back into series/VERSION/, in
# one fixed form, so that doing it twice changes nothing. The text of the cover
# letter is kept by hand; only its count, shortlog and diffstat are renewed.
# TREE=DIR exports another tree; FROM=COMMIT says where its series begins
# (default: the tag "base", else the root commit).

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_lock
stop_on_signals
[ -z "$FIRST" ] || die "FIRST=$FIRST: the series is exported whole"
[ -e "$TREE/.git" ] || die "there is no tree to export yet; make tree"

for state in rebase-merge rebase-apply CHERRY_PICK_HEAD; do
	(cd "$TREE" && [ ! -e "$(labgit rev-parse --git-path "$state")" ]) ||
		die "a rebase, am or cherry-pick is under way in $TREE: the series is exported when that is done"
done

# What the tree's own git configuration could change is out of the game, too.
plain_git()
{
	labgit -C "$TREE" \
		-c diff.algorithm=myers -c diff.renames=true -c diff.context=3 \
		-c diff.noprefix=false -c diff.mnemonicPrefix=false \
		-c diff.suppressBlankEmpty=false -c diff.indentHeuristic=true \
		-c format.signature= -c format.thread=false \
		-c format.encodeEmailHeaders=true --no-pager "$@"
}

if [ -z "${FROM:-}" ]; then
	FROM=$(labgit -C "$TREE" rev-parse -q --verify 'refs/tags/base^{commit}') ||
		FROM=$(labgit -C "$TREE" rev-list --max-parents=0 HEAD)
fi
count=$(labgit -C "$TREE" rev-list --count "$FROM..HEAD")
[ "$count" -gt 0 ] || die "the tree holds no commit above its base: nothing to export"
[ -z "$(labgit -C "$TREE" status --porcelain --untracked-files=no | head -n 1)" ] ||
	warn "the tree has changes that aren't committed; they are not exported"
[ "$(labgit -C "$TREE" rev-list --count --merges "$FROM..HEAD")" -eq 0 ] ||
	die "the tree holds merges; a series is a line of commits"

cover=$SERIES_DIR/0000-cover-letter.patch
# "PATCH v9", as the cover letter's subject says
prefix=PATCH
if [ -e "$cover" ]; then
	prefix=$(sed -n 's,^Subject: \[\([^]]*\) 0*0/[0-9]*\].*,\1,p' "$cover" | head -n 1)
	[ -n "$prefix" ] || die "the cover letter's subject is not [PATCH vN 0/M]"
fi

tmp=$WORK/export.tmp
mkdir -p "$WORK"
rm -rf "$tmp"
trap 'rm -rf "$tmp" "$SERIES_DIR"/*.tmp' EXIT
plain_git format-patch -q -o "$tmp" --numbered --start-number=1 \
	--subject-prefix="$prefix" --zero-commit --no-signature --full-index \
	--no-attach --no-thread --no-cover-letter --no-base --no-notes \
	--no-ext-diff --no-textconv --no-color --stat=72 --summary -p -M \
	"$FROM..HEAD" || die "cannot write the patches; series/$SERIES is as it was"
(cd "$tmp" && printf '%s\n' *.patch) >"$tmp/series"

# summary: shortlog and diffstat as format-patch puts them into a cover letter
summary()
{
	plain_git shortlog -w72,2,4 "$FROM..HEAD"
	plain_git diff --stat=72 --summary -M "$FROM" HEAD
	printf '\n'
}

# The old summary is the longest tail of the letter that holds nothing but
# indented lines, blank lines and "Name (N):".
if [ -e "$cover" ]; then
	summary >"$tmp/summary"
	awk -v count="$count" '
		{ line[NR] = $0 }
		END {
			start = NR + 1
			for (i = NR; i > 0 && line[i] ~ /^$|^ |^-- $|^[^ ].* \([0-9]+\):$/; i--)
				if (line[i] ~ /^[^ ].* \([0-9]+\):$/)
					start = i
			while (start > 1 && line[start - 1] == "")
				start--
			zero = sprintf("%0" length(count) "d", 0)
			for (i = 1; i < start; i++) {
				if (!done && line[i] ~ /^Subject: \[/) {
					sub(/ [0-9]+\/[0-9]+\]/, " " zero "/" count "]", line[i])
					done = 1
				}
				print line[i]
			}
			print ""
		}' "$cover" >"$tmp/letter"
	cat "$tmp/summary" >>"$tmp/letter"
	mv "$tmp/letter" "$tmp/0000-cover-letter.patch"
	rm "$tmp/summary"
else
	warn "there is no $cover: write one by hand"
fi

changed=0
mkdir -p "$SERIES_DIR"
rm -f "$SERIES_DIR"/*.tmp
# All new files are there before the first old one goes: a full disk and a signal
# leave the series as it was.
for new in "$tmp"/*; do
	cmp -s "$new" "$SERIES_DIR/${new##*/}" ||
		cp "$new" "$SERIES_DIR/${new##*/}.tmp" ||
		die "cannot write the patches; series/$SERIES is as it was"
done
trap '' INT TERM HUP
for old in "$SERIES_DIR"/[0-9][0-9][0-9][0-9]-*.patch; do
	[ ! -e "$old" ] || [ -e "$tmp/${old##*/}" ] || {
		rm "$old"
		changed=$((changed + 1))
	}
done
for new in "$SERIES_DIR"/*.tmp; do
	[ -e "$new" ] || continue
	mv -f "$new" "${new%.tmp}"
	changed=$((changed + 1))
done
if [ -e "$TREE/.git/lab-state" ]; then
	write_state "$TREE" "$(tree_state base)" "$(series_sum)" \
		"$(labgit -C "$TREE" rev-parse HEAD)"
fi
say "export: $count patches in series/$SERIES, $changed files changed"
