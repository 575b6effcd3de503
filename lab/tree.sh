#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "make tree": a git tree of base plus series to work in.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export LAB_JOB=tree
take_lock
stop_on_signals
[ -n "$BASE" ] || supervise "$LAB/get-base.sh"
supervise "$LAB/make-tree.sh"
say "work in $TREE, on branch series; make export writes its commits back"
