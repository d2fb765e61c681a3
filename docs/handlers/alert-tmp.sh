#!/bin/sh
# SPDX-License-Identifier: MIT
# A command of a handler: one event, in the environment and as JSON on stdin.
case $ROLLCALL_TYPE in
gap) text="$ROLLCALL_LOST events are missing from number $ROLLCALL_SEQ on" ;;
*) text="user $ROLLCALL_UID runs $ROLLCALL_EXE as process $ROLLCALL_PID" ;;
esac
exec logger -t rollcall-alert -p auth.warning -- "$text"
