# SPDX-License-Identifier: MIT
# data: events at once, then for each design how many were lost; the first line names the designs.
set terminal svg size 860,420 font "sans,12" background "#ffffff"
set key top left autotitle columnhead
set xlabel "events at once"
set ylabel "lost"
set grid
set xrange [0:128]
stats data skip 1 nooutput
plot for [i=2:STATS_columns] data using 1:i with linespoints linewidth 2 pointtype i pointsize 0.6
