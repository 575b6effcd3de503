#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# keep-warnings.sh COMMAND...: stand in for the compiler or for sparse in a
# kernel build: what the command says is kept beside the object that it is for,
# as long as that object is, so that the warnings of a whole tree can be
# counted although only a part of it was compiled anew.

kept=
for arg; do
	case $arg in
	*.o) object=$arg ;;
	*.c) source=$arg ;;
	esac
done
case $1 in
*sparse) [ -z "${source:-}" ] || kept=${source#"$TREE"/}.sparse-warnings ;;
*) [ -z "${object:-}" ] || [ -z "${source:-}" ] || kept=$object.cc-warnings ;;
esac
# The compiler is asked for its version and features too, outside of the tree.
case $kept in
'' | /* | ./.tmp* | .tmp*) exec "$@" ;;
esac
[ -d "$(dirname "$kept")" ] || exec "$@"
"$@" 2>"$kept.tmp"
rc=$?
cat "$kept.tmp" >&2
mv -f "$kept.tmp" "$kept"
exit "$rc"
