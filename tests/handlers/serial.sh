#!/bin/sh
# SPDX-License-Identifier: MIT
# A program of a handler that has one event at a time: serial.sh FILE SECONDS writes each number into
# the file, and answers it so much later.
while IFS= read -r line; do
    number=${line#*\"epoch\":}
    seq=${line#*\"seq\":}
    number="${number%%,*} ${seq%%,*}"
    echo "$number" >>"$1"
    sleep "$2"
    echo "$number"
done
