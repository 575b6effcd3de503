#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "make shell": the release kernel with a shell on this terminal.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export LAB_JOB=shell
take_lock
stop_on_signals
"$LAB/install-tools.sh"
"$LAB/prepare.sh" "${KIND:-release}"
say "suites are in /lab/suites, programs in the PATH; exit powers off; Ctrl-A x ends QEMU"
LAB_SHELL=1 exec "$LAB/boot.sh" "${KIND:-release}" shell /dev/null
