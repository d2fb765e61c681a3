# SPDX-License-Identifier: MIT
# data: title, then median, min and max for each of the two loads, in percent.
set terminal svg size 860,420 font "sans,12" background "#ffffff"
set style data histograms
set style histogram errorbars gap 1 linewidth 1
set style fill solid 0.8 border -1
set boxwidth 0.9
set yrange [0:115<*]
set ylabel "processes per second, % of nothing"
set grid ytics
set key top right horizontal
set xtics rotate by -20
plot data using 2:3:4:xtic(1) title "fork+exit" linecolor rgb "#4477aa", \
     "" using 5:6:7 title "fork+exec+exit" linecolor rgb "#ccbb44"
