#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "make coverage": how many branches of nouveau's pure logic its KUnit suite
# takes, as a program of user space around the same source. All of them must be.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export LAB_JOB=coverage
take_lock
stop_on_signals
nouveau=$TREE/drivers/gpu/drm/nouveau
out=$WORK/coverage
logic=(nouveau_svm_fault nouveau_svm_turn)

# In the folder of make check it is a work tree that is at the right commit.
if [ ! -f "$TREE/.git" ]; then
	"$LAB/install-tools.sh"
	[ -n "$BASE" ] || "$LAB/get-base.sh"
	"$LAB/make-tree.sh"
fi
[ -e "$nouveau/nouveau_svm_fault_test.c" ] || die "$TREE has no such suite"
rm -rf "$out"
mkdir -p "$out"
cd "$out"
for file in "${logic[@]}" nouveau_svm_fault_test; do
	flags=(-w)
	[ "$file" = nouveau_svm_fault_test ] || flags+=(--coverage)
	gcc -O0 "${flags[@]}" -I"$LAB/coverage/include" -I"$nouveau" \
		-I"$nouveau/include" -c -o "$file.o" "$nouveau/$file.c"
done
gcc --coverage -o suite ./*.o
./suite || die "the suite fails"
gcov -b "${logic[@]/%/.o}" >gcov.txt
awk '
	/^File / { split($2, part, "/"); name = part[length(part)]; gsub(/\047/, "", name) }
	/^$/ { name = "" }
	name ~ /\.c$/ && match($0, /^(Lines executed|Taken at least once):/) {
		text = $0
		sub(/Lines executed:/, "lines: ", text)
		sub(/Taken at least once:/, "branches taken: ", text)
		print name ": " text
		if ($0 !~ /:100\.00%/)
			bad = 1
	}
	END { exit bad }' gcov.txt || die "not all of it is taken; see $out/*.gcov"
