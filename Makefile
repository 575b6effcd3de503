# SPDX-License-Identifier: GPL-2.0
# Thin: each target is a script of lab/. "make" alone prints help.
# BASE=DIR BUILD=DIR CC= LLVM=1 SERIES=VERSION JOBS=N go through.

export BASE BUILD CC LLVM SERIES JOBS
ifeq ($(origin CC),default)
unexport CC
endif
# The kernel's make takes its own parallelism and variables.
MAKEFLAGS :=
MAKEOVERRIDES :=

.PHONY: help run test

help:
	@sed -n 's/^#: //p' Makefile

#: make run      see it work: build, boot, demonstration, exclusive tests, verdict
run:
	@lab/run.sh

#: make test     all tests on the release and the debug kernel; what CI runs
test:
	@lab/test.sh
