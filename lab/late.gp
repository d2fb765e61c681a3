# SPDX-License-Identifier: MIT
# data: design, then median and 99th percentile in microseconds.
set terminal svg size 860,420 font "sans,12" background "#ffffff"
set style data histograms
set style fill solid 0.8 border -1
set boxwidth 0.9
set yrange [0:*]
set ylabel "microseconds from the kernel's time stamp to the service's code"
set grid ytics
set xtics rotate by -20
set key top right horizontal
plot data using 2:xtic(1) title "median" linecolor rgb "#4477aa", \
     "" using 3 title "99 %" linecolor rgb "#ccbb44"
