# SPDX-License-Identifier: MIT
# data: design, then percent of events lost in each situation.
set terminal svg size 860,420 font "sans,12" background "#ffffff"
set style data histograms
set style fill solid 0.8 border -1
set boxwidth 0.9
set yrange [0:100]
set ylabel "lost, % of the events"
set grid ytics
set xtics rotate by -20
set key top right horizontal
plot data using 2:xtic(1) title "burst" linecolor rgb "#4477aa", \
     "" using 3 title "overload" linecolor rgb "#ee6677", \
     "" using 4 title "stopped" linecolor rgb "#ccbb44", \
     "" using 5 title "killed" linecolor rgb "#228833"
