# SPDX-License-Identifier: MIT
# data: events at once, then for each design how many were lost; the first line names the designs.
set terminal svg size 860,420 font "sans,12" background "#ffffff"
set key top left
set xlabel "events at once"
set ylabel "lost"
set grid
set xrange [0:128]
# one-queue and two-queues are one line: the second is dashed, so that both are seen.
plot data using 1:"single" with lines linewidth 2 linecolor rgb "#aa3377" title "single", \
     "" using 1:"overlapped" with lines linewidth 2 linecolor rgb "#ccbb44" title "overlapped: 16 requests", \
     "" using 1:"one-queue" with lines linewidth 4 linecolor rgb "#66ccee" title "one-queue: 64 requests", \
     "" using 1:"two-queues" with lines linewidth 2 dashtype 2 linecolor rgb "#aa2222" title "two-queues: 16 requests and 48 events", \
     "" using 1:"commit-and-fetch" with lines linewidth 3 linecolor rgb "#228833" title "all others"
