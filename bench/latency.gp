# SPDX-License-Identifier: MIT
# data: a directory with KIND.WHEN.dat: microseconds, and the share of samples up to that.
set terminal svg size 960,420 font "sans,12" background "#ffffff"
set logscale x
set xlabel "microseconds from the kernel's time stamp to the consumer's code"
set ylabel "% of the events that are not later"
set yrange [0:100]
set grid
set key outside right
plot data."/eventfd.idle.dat" using 1:2 with lines linewidth 2 linecolor rgb "#888888" title "eventfd wake-up", \
     data."/bare.idle.dat" using 1:2 with lines linewidth 2 linecolor rgb "#ee6677" title "bare ring, idle", \
     data."/rollcall.idle.dat" using 1:2 with lines linewidth 2 linecolor rgb "#4477aa" title "rollcall, idle", \
     data."/spin.idle.dat" using 1:2 with lines linewidth 2 linecolor rgb "#228833" title "rollcall spinning, idle", \
     data."/bare.burst.dat" using 1:2 with lines linewidth 2 dashtype 2 linecolor rgb "#ee6677" title "bare ring, burst", \
     data."/rollcall.burst.dat" using 1:2 with lines linewidth 2 dashtype 2 linecolor rgb "#4477aa" title "rollcall, burst", \
     data."/spin.burst.dat" using 1:2 with lines linewidth 2 dashtype 2 linecolor rgb "#228833" title "rollcall spinning, burst"
